import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../kernel.ts";
import { listInputs, listOf } from "../tensor-lists.ts";

const run = defineKernel<Record<string, never>>({
  name: "LevinAccumulate",
  reference: (inputs) => {
    const addends = listOf(inputs, "addends");
    return listOf(inputs, "sums").map((sum, i) => tf.add(sum, addends[i]!));
  },
});

/**
 * `sums[i] + addends[i]` for any number of tensors at once. The wasm backend writes the results over
 * `sums` where nobody else holds their numbers, so use only what is returned.
 */
export function accumulate(sums: readonly tf.Tensor[], addends: readonly tf.Tensor[]): tf.Tensor[] {
  return sums.length === 0 ? [] : run(listInputs({ sums, addends }), {});
}
