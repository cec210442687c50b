import type * as tf from "@tensorflow/tfjs-core";
import type { KernelInputs } from "./kernel.ts";

/** Lists of tensors as inputs of one kernel: entry i of list `sum` is the input `sum.i`. */
export function listInputs(lists: Record<string, readonly tf.Tensor[]>): KernelInputs {
  return Object.fromEntries(
    Object.entries(lists).flatMap(([name, tensors]) =>
      tensors.map((tensor, i): [string, tf.Tensor] => [`${name}.${i}`, tensor]),
    ),
  );
}

/** One of the lists that {@link listInputs} took. */
export function listOf(inputs: KernelInputs, name: string): tf.Tensor[] {
  const list: tf.Tensor[] = [];
  for (let next = inputs[`${name}.0`]; next; next = inputs[`${name}.${list.length}`]) {
    list.push(next);
  }
  return list;
}
