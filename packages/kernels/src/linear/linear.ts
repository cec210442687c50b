import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";
import { outerSum, project, projectBack } from "./matrix-product.ts";

const runLinear = defineKernel<Record<string, never>>({
  name: "LevinLinear",
  reference: ({ x, weight }) => [
    tf.reshape(project(rows(x!), weight!), [...x!.shape.slice(0, -1), weight!.shape[0]!]),
  ],
  gradient: ([upstream], { x, weight }) => ({
    x: tf.reshape(projectBack(rows(upstream!), weight!), x!.shape),
    weight: outerSum(rows(upstream!), rows(x!)),
  }),
});

function rows(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape.at(-1)!]);
}

/**
 * Bias-free projection `y = x · weightᵀ`.
 *
 * @param x `[..., in]`
 * @param weight `[out, in]`, the layout of the checkpoint
 * @returns `[..., out]`
 * @throws KernelShapeError when the inner sizes differ
 */
export function linear(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  if (weight.rank !== 2 || weight.shape[1] !== x.shape.at(-1)) {
    throw new KernelShapeError("linear", `weight [out, ${x.shape.at(-1)}]`, `[${weight.shape}]`);
  }
  return runLinear({ x, weight }, {})[0]!;
}
