import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../kernel.ts";
import { listInputs, listOf } from "../tensor-lists.ts";

const run = defineKernel<Record<string, never>>({
  name: "LevinSumOfSquares",
  reference: (inputs) => [
    tf.addN(listOf(inputs, "tensors").map((tensor) => tf.sum(tf.square(tensor)))),
  ],
});

/** `Σ x²` over all numbers of all tensors. */
export function sumOfSquares(tensors: readonly tf.Tensor[]): tf.Scalar {
  return tensors.length === 0 ? tf.scalar(0) : (run(listInputs({ tensors }), {})[0] as tf.Scalar);
}
