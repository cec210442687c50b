import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { selectBackend, type BackendName } from "../node.ts";

/** Numbers of a normal distribution, the same on every backend. */
export function normal(shape: number[], seed: number): tf.Tensor {
  return tf.randomNormal(shape, 0, 1, "float32", seed);
}

/** Expects the same of the fused kernels of wasm as of the references on the cpu backend. */
export function expectSameOnWasm(compute: () => tf.Tensor[], tolerance = 1e-5): Promise<void> {
  return expectSameOn("wasm", compute, tolerance);
}

/** Expects the same of the kernels of a backend as of the references on the cpu backend. */
export async function expectSameOn(
  name: BackendName,
  compute: () => tf.Tensor[],
  tolerance = 1e-5,
): Promise<void> {
  const results: Float32Array[][] = [];
  for (const backend of ["cpu", name]) {
    await selectBackend(backend);
    // Not returned from tidy, which would look for tensors in every one of the numbers.
    tf.tidy(() => {
      results.push(compute().map((tensor) => tensor.dataSync() as Float32Array));
    });
  }
  const [expected, found] = results as [Float32Array[], Float32Array[]];
  expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  found.forEach((values, i) =>
    expect(relativeError(values, expected[i]!)).toBeLessThanOrEqual(tolerance),
  );
}

/** The largest difference, relative to the largest number if that is above 1. */
export function relativeError(found: Float32Array, expected: Float32Array): number {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0);
  return worst / scale;
}
