import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../kernel.ts";
import { isQuantized, weightKind } from "../quantized/block-layout.ts";
import { floatWeight } from "../quantized/dequantize.ts";
import { outerSum, project, projectBack } from "./matrix-product.ts";

const runLinear = defineKernel<Record<string, never>>({
  name: "LevinLinear",
  reference: ({ x, weight }) => [
    tf.reshape(project(rows(x!), weight!), [...x!.shape.slice(0, -1), weight!.shape[0]!]),
  ],
  gradient: ([upstream], { x, weight }) => ({
    x: tf.reshape(
      projectBack(rows(upstream!), floatWeight("linear", weight!, x!.shape.at(-1)!)),
      x!.shape,
    ),
    // Whole numbers have no gradient.
    ...(!isQuantized(weight!) && { weight: outerSum(rows(upstream!), rows(x!)) }),
  }),
});

function rows(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape.at(-1)!]);
}

/**
 * Bias-free projection `y = x · weightᵀ`.
 *
 * @param x `[..., in]`
 * @param weight `[out, in]`, the layout of the checkpoint, or quantised blocks of it
 * @returns `[..., out]`
 * @throws KernelShapeError when the inner sizes differ
 */
export function linear(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  weightKind("linear", weight, [weight.shape[0]!, x.shape.at(-1)!]);
  return runLinear({ x, weight }, {})[0]!;
}
