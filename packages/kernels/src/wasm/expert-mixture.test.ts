import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expertMixture, linear, type Expert } from "../index.ts";
import { project } from "../linear/matrix-product.ts";
import { FusedKernelError, selectBackend } from "../node.ts";
import { expectSameOnWasm, normal } from "../testing/both-backends.ts";

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
          await expectSameOnWasm(() => {
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
          });
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
          await expectSameOnWasm(() => [
            project(normal([rows, depth], seed), normal([columns, depth], seed + 1)),
          ]);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("name a job that had to stop, and go on with others", async () => {
    await selectBackend("wasm");
    // Workers have started by now, so the job leaves one of them behind.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const square = tf.eye(8);
    const experts = [{ gate: square, up: square, down: square }];
    const routing = {
      experts: tf.tensor2d(Array<number>(8).fill(7), [8, 1], "int32"),
      weights: tf.ones([8, 1]) as tf.Tensor2D,
    };
    expect(() => expertMixture(square, routing, experts)).toThrow(FusedKernelError);
    const wide = tf.ones([64, 512]);
    expect(
      linear(wide, wide)
        .dataSync()
        .every((sum) => sum === 512),
    ).toBe(true);
  });
});
