import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { selectBackend } from "../node.ts";
import { relativeError } from "./both-backends.ts";

/** Whether this machine has a GPU, or Vulkan in software; `npm test` sees to that where it may. */
export const hasWebGpu: boolean = await selectBackend("webgpu").then(
  () => true,
  () => false,
);

/** Expects the same of the kernels of WebGPU as of the references on the cpu backend. */
export async function expectSameOnWebGpu(
  compute: () => tf.Tensor[],
  tolerance = 1e-5,
): Promise<void> {
  const results: Float32Array[][] = [];
  for (const backend of ["cpu", "webgpu"]) {
    await selectBackend(backend);
    const tensors = tf.tidy(compute);
    results.push((await Promise.all(tensors.map((tensor) => tensor.data()))) as Float32Array[]);
    tf.dispose(tensors);
  }
  const [expected, found] = results as [Float32Array[], Float32Array[]];
  expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  found.forEach((values, i) =>
    expect(relativeError(values, expected[i]!)).toBeLessThanOrEqual(tolerance),
  );
}
