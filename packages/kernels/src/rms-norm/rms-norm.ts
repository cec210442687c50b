import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";

const runRmsNorm = defineKernel<{ epsilon: number }>({
  name: "LevinRmsNorm",
  reference: ({ x, weight }, { epsilon }) => [
    tf.mul(tf.mul(x!, inverseRootMeanSquare(x!, epsilon)), weight!),
  ],
  gradient: ([upstream], { x, weight }, { epsilon }) => {
    const scale = inverseRootMeanSquare(x!, epsilon);
    const normalised = tf.mul(x!, scale);
    const weighted = tf.mul(upstream!, weight!);
    // d/dx of x·r: the part of the gradient along x is removed, as r falls when x grows.
    const along = tf.mean(tf.mul(weighted, normalised), -1, true);
    const leading = x!.shape.slice(0, -1).map((_, axis) => axis);
    return {
      x: tf.mul(tf.sub(weighted, tf.mul(normalised, along)), scale),
      weight: tf.sum(tf.mul(upstream!, normalised), leading),
    };
  },
});

function inverseRootMeanSquare(x: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
}

/**
 * Root-mean-square norm over the last axis: `weight ⊙ x / sqrt(mean(x²) + epsilon)`.
 *
 * @param x `[..., size]`
 * @param weight `[size]`
 * @returns `[..., size]`
 * @throws KernelShapeError when `weight` does not match the last axis
 */
export function rmsNorm<T extends tf.Tensor>(x: T, weight: tf.Tensor, epsilon: number): T {
  if (weight.rank !== 1 || weight.shape[0] !== x.shape.at(-1)) {
    throw new KernelShapeError("rmsNorm", `weight [${x.shape.at(-1)}]`, `[${weight.shape}]`);
  }
  return runRmsNorm({ x, weight }, { epsilon })[0] as T;
}
