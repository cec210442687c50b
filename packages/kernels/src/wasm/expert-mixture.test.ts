import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expertMixture, type Expert } from "../index.ts";
import { project } from "../linear/matrix-product.ts";
import { selectBackend } from "../node.ts";

const normal = (shape: number[], seed: number): tf.Tensor =>
  tf.randomNormal(shape, 0, 1, "float32", seed);

/** Runs on the cpu backend, which has only references, then on wasm; the numbers of both. */
async function onBoth(compute: () => tf.Tensor[]): Promise<[Float32Array[], Float32Array[]]> {
  const results: Float32Array[][] = [];
  for (const backend of ["cpu", "wasm"]) {
    await selectBackend(backend);
    results.push(tf.tidy(() => compute().map((tensor) => tensor.dataSync() as Float32Array)));
  }
  return results as [Float32Array[], Float32Array[]];
}

function expectClose(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0);
  expect(worst / scale).toBeLessThan(1e-5);
}

describe("fused kernels on wasm give the numbers of their references on cpu", () => {
  it("expertMixture and its gradients, for any sizes, few tokens and idle experts", async () => {
    const problem = fc.record({
      tokens: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 7, max: 400 })),
      experts: fc.integer({ min: 1, max: 9 }),
      k: fc.integer({ min: 1, max: 3 }),
      hidden: fc.integer({ min: 1, max: 40 }),
      intermediate: fc.integer({ min: 1, max: 40 }),
      seed: fc.integer({ min: 1, max: 1e6 }),
    });
    await fc.assert(
      fc.asyncProperty(
        problem,
        async ({ tokens, experts: count, hidden, intermediate, seed, ...p }) => {
          const k = Math.min(p.k, count);
          const choices = Array.from({ length: tokens }, (_, t) =>
            Array.from({ length: k }, (_unused, j) => (t * seed + j) % count),
          );
          const [found, expected] = (
            await onBoth(() => {
              const x = normal([tokens, hidden], seed);
              const weights = tf.sigmoid(normal([tokens, k], seed + 1));
              const experts = Array.from({ length: count }, (_, e): Expert => ({
                gate: normal([intermediate, hidden], seed + 10 + e),
                up: normal([intermediate, hidden], seed + 30 + e),
                down: normal([hidden, intermediate], seed + 50 + e),
              }));
              const routing = { experts: tf.tensor2d(choices, [tokens, k], "int32") };
              const mix = (rows: tf.Tensor, w: tf.Tensor, ...flat: tf.Tensor[]): tf.Tensor =>
                expertMixture(
                  rows as tf.Tensor2D,
                  { ...routing, weights: w as tf.Tensor2D },
                  experts.map((_, e) => ({
                    gate: flat[3 * e]!,
                    up: flat[3 * e + 1]!,
                    down: flat[3 * e + 2]!,
                  })),
                );
              const inputs = [
                x,
                weights,
                ...experts.flatMap(({ gate, up, down }) => [gate, up, down]),
              ];
              const upstream = normal([tokens, hidden], seed + 2);
              return [
                mix(...(inputs as [tf.Tensor, tf.Tensor])),
                ...tf.grads(mix as never)(inputs, upstream),
              ];
            })
          ).toReversed() as [Float32Array[], Float32Array[]];
          found.forEach((values, i) => expectClose(values, expected[i]!));
        },
      ),
      { numRuns: 25 },
    );
  });

  it("matrix products, for any sizes and transposes", async () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 21, max: 600 }));
    await fc.assert(
      fc.asyncProperty(
        size,
        size,
        size,
        fc.integer({ min: 1, max: 1e6 }),
        async (rows, columns, depth, seed) => {
          const [expected, found] = await onBoth(() => [
            project(normal([rows, depth], seed), normal([columns, depth], seed + 1)),
          ]);
          expectClose(found[0]!, expected[0]!);
        },
      ),
      { numRuns: 15 },
    );
  });
});
