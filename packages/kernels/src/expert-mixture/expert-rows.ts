import * as tf from "@tensorflow/tfjs-core";
import type { KernelInputs } from "../kernel.ts";
import type { Expert } from "./expert.ts";
import type { ExpertGroup } from "./group-by-expert.ts";

/** Brings the rows back from expert order and adds the k results of each token, weighted. */
export function sumOverChoices(rows: tf.Tensor, order: tf.Tensor1D, weights: tf.Tensor): tf.Tensor {
  const [tokens, k] = weights.shape as [number, number];
  const byToken = tf.reshape(tf.gather(rows, order), [tokens, k, -1]);
  return tf.sum(tf.mul(byToken, tf.expandDims(weights, 2)), 1);
}

export function rowsOf(x: tf.Tensor, group: ExpertGroup): tf.Tensor2D {
  return x.shape[0] === 1 ? (x as tf.Tensor2D) : tf.gather(x as tf.Tensor2D, group.tokens);
}

export function expertOf(inputs: KernelInputs, expert: number): Expert {
  return {
    gate: inputs[`gate.${expert}`]!,
    up: inputs[`up.${expert}`]!,
    down: inputs[`down.${expert}`]!,
  };
}

export function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x));
}
