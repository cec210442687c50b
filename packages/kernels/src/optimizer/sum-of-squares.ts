import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../kernel.ts";
import { listInputs, listOf } from "../tensor-lists.ts";

const run = defineKernel<Record<string, never>>({
  name: "LevinSumOfSquares",
  reference: (inputs) => {
    const sums = listOf(inputs, "tensors").map((tensor) => tf.sum(tf.square(tensor)));
    // WebGPU's addN takes only as many tensors as a shader has buffers.
    return [tf.sum(tf.stack(sums))];
  },
});

/** `Σ x²` over all numbers of all tensors. */
export function sumOfSquares(tensors: readonly tf.Tensor[]): tf.Scalar {
  return tensors.length === 0 ? tf.scalar(0) : (run(listInputs({ tensors }), {})[0] as tf.Scalar);
}
