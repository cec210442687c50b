import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";

const run = defineKernel<{ alpha: number; beta: number }>({
  name: "LevinScaledSum",
  reference: ({ a, b }, { alpha, beta }) => {
    const scaled = tf.mul(a!, alpha);
    return [b ? tf.add(scaled, beta === 1 ? b : tf.mul(b, beta)) : scaled];
  },
  gradient: ([upstream], _, { alpha, beta }) => ({
    a: scale(upstream!, alpha),
    b: scale(upstream!, beta),
  }),
});

function scale(x: tf.Tensor, factor: number): tf.Tensor {
  return factor === 1 ? tf.clone(x) : run({ a: x }, { alpha: factor, beta: 0 })[0]!;
}

/**
 * A residual connection, `alpha · skip + beta · branch`.
 *
 * @throws KernelShapeError when the shapes differ
 */
export function scaledResidual<T extends tf.Tensor>(
  skip: T,
  alpha: number,
  branch: tf.Tensor,
  beta: number,
): T {
  if (branch.shape.join() !== skip.shape.join()) {
    throw new KernelShapeError("scaledResidual", `branch [${skip.shape}]`, `[${branch.shape}]`);
  }
  return run({ a: skip, b: branch }, { alpha, beta })[0] as T;
}
