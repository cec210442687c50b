import * as tf from "@tensorflow/tfjs-core";
import { lightningAttention } from "../index.ts";
import { normal } from "./both-backends.ts";

export interface RandomLightning {
  shape: readonly [batch: number, heads: number, length: number, headDim: number];
  slopes: number[];
  mask: tf.Tensor2D | undefined;
  withState: boolean;
  /** Inputs and upstream gradients have the six seeds behind it. */
  seed: number;
}

/** Output, next state and all gradients for random upstream gradients of both. */
export function lightningWithGradients(p: RandomLightning): tf.Tensor[] {
  const [batch, heads, length, headDim] = p.shape;
  const shape = [batch, heads, length, headDim];
  const square = [batch, heads, headDim, headDim];
  const { slopes, mask, seed } = p;
  const inputs = [1, 2, 3].map((i) => normal(shape, seed + i));
  if (p.withState) inputs.push(normal(square, seed + 4));
  const attend = (...[queries, keys, values, state]: tf.Tensor[]) =>
    lightningAttention({ queries, keys, values, state, slopes, mask } as never);
  const loss = (...args: tf.Tensor[]): tf.Scalar => {
    const result = attend(...args);
    return tf.add(
      tf.sum(tf.mul(result.output, normal(shape, seed + 5))),
      tf.sum(tf.mul(result.state, normal(square, seed + 6))),
    );
  };
  const { output, state } = attend(...inputs);
  return [output, state, ...tf.grads(loss)(inputs)];
}
