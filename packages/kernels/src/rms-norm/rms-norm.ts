import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";
import { inverseRootMeanSquare, rmsNormGradient } from "./rms-norm-gradient.ts";

const runRmsNorm = defineKernel<{ epsilon: number }>({
  name: "LevinRmsNorm",
  reference: ({ x, weight }, { epsilon }) => [
    tf.mul(tf.mul(x!, inverseRootMeanSquare(x!, epsilon)), weight!),
  ],
  gradient: ([upstream], { x, weight }, { epsilon }) =>
    rmsNormGradient(upstream!, x!, weight!, epsilon),
});

/**
 * Root-mean-square norm over the last axis: `weight ⊙ x / sqrt(mean(x²) + epsilon)`. Call it in a `tidy`.
 *
 * @param x `[..., size]`
 * @param weight `[size]`; absent: 1
 * @returns `[..., size]`
 * @throws KernelShapeError when `weight` does not match the last axis
 */
export function rmsNorm<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor = tf.ones([x.shape.at(-1)!]),
  epsilon: number,
): T {
  if (weight.rank !== 1 || weight.shape[0] !== x.shape.at(-1)) {
    throw new KernelShapeError("rmsNorm", `weight [${x.shape.at(-1)}]`, `[${weight.shape}]`);
  }
  return runRmsNorm({ x, weight }, { epsilon })[0] as T;
}
