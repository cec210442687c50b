import * as tf from "@tensorflow/tfjs-core";
// Brings the gradients of the stock operations; tfjs-core alone has none.
import "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { describe, it } from "vitest";
import { expertMixture, linear, type QuantizedBits } from "../index.ts";
import { outerSum, project, projectBack } from "../linear/matrix-product.ts";
import { normal } from "../testing/both-backends.ts";
import { expectSameOnWebGpu, hasWebGpu } from "../testing/on-webgpu.ts";
import { quantized } from "../testing/quantized-weight.ts";

/** A random weight [rows, columns], float32 or as quantised blocks. */
function weight(rows: number, columns: number, bits: QuantizedBits | 32, seed: number): tf.Tensor {
  const values = normal([rows, columns], seed);
  if (bits === 32) return values;
  return quantized(values, bits);
}

const some = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const runs = 8;

/** x wᵀ, xᵀ y and y w. */
function products(rows: number, columns: number, depth: number): tf.Tensor[] {
  const x = normal([rows, depth], 1);
  const w = normal([columns, depth], 2);
  const y = normal([rows, columns], 3);
  return [project(x, w), outerSum(x, y), projectBack(y, w)];
}

interface MixtureCase {
  tokens: number;
  count: number;
  k: number;
  hidden: number;
  intermediate: number;
  bits: QuantizedBits | 32;
}

function mixture({ tokens, count, k, hidden, intermediate, bits }: MixtureCase): tf.Tensor[] {
  const choices = Array.from(
    { length: tokens * k },
    (_, i) => (Math.floor(i / k) * 3 + (i % k)) % count,
  );
  const routing = {
    experts: tf.tensor2d(choices, [tokens, k], "int32"),
    weights: tf.sigmoid(normal([tokens, k], 1)) as tf.Tensor2D,
  };
  const experts = Array.from({ length: count }, (_, e) => ({
    gate: weight(intermediate, hidden, bits, 10 + e),
    up: weight(intermediate, hidden, bits, 30 + e),
    down: weight(hidden, intermediate, bits, 50 + e),
  }));
  return [expertMixture(normal([tokens, hidden], 2) as tf.Tensor2D, routing, experts)];
}

describe.skipIf(!hasWebGpu)("on WebGPU, as their references,", () => {
  it.each([
    [1, 8],
    [1, 4],
    [70, 8],
    [70, 4],
  ] as const)("linear of %i rows and weights of %i bits, and its gradient", (rows, bits) =>
    expectSameOnWebGpu(() => {
      const w = weight(9, 96, bits, 1);
      const product = (x: tf.Tensor): tf.Tensor => linear(x, w);
      const x = normal([rows, 96], 2);
      return [product(x), tf.grad(product)(x, normal([rows, 9], 3))];
    }),
  );

  it.each<MixtureCase>([
    { tokens: 1, count: 8, k: 2, hidden: 12, intermediate: 20, bits: 32 },
    { tokens: 3, count: 5, k: 3, hidden: 7, intermediate: 9, bits: 32 },
    { tokens: 2, count: 3, k: 1, hidden: 64, intermediate: 32, bits: 4 },
    { tokens: 90, count: 7, k: 2, hidden: 20, intermediate: 70, bits: 32 },
    { tokens: 20, count: 3, k: 2, hidden: 32, intermediate: 64, bits: 8 },
  ])("expertMixture of %o", (sizes) => expectSameOnWebGpu(() => mixture(sizes)));

  it("expertMixture of any sizes", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          tokens: fc.oneof(some(4), some(200)),
          count: some(13),
          k: some(3),
          hidden: some(80),
          intermediate: some(80),
          bits: fc.constant(32 as const),
        }),
        ({ k, ...sizes }) =>
          expectSameOnWebGpu(() => mixture({ ...sizes, k: Math.min(k, sizes.count) })),
      ),
      { numRuns: runs },
    ));

  it("products of any sizes", () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(some(4), some(150)), some(150), some(150), (rows, columns, depth) =>
        expectSameOnWebGpu(() => products(rows, columns, depth)),
      ),
      { numRuns: runs },
    ));

  it("gradients of expertMixture, with an idle expert", () =>
    expectSameOnWebGpu(() => {
      const shapes = [
        [8, 6],
        [8, 6],
        [6, 8],
      ];
      const weights = Array.from({ length: 12 }, (_, i) => normal(shapes[i % 3]!, 10 + i));
      const experts = tf.tensor2d([0, 1, 1, 3, 3, 0], [3, 2], "int32");
      const mix = (...[x, w, ...flat]: tf.Tensor[]): tf.Tensor =>
        expertMixture(
          x as tf.Tensor2D,
          { experts, weights: w as tf.Tensor2D },
          [0, 3, 6, 9].map((e) => ({ gate: flat[e]!, up: flat[e + 1]!, down: flat[e + 2]! })),
        );
      const inputs = [normal([3, 6], 1), tf.sigmoid(normal([3, 2], 2)), ...weights];
      return tf.grads(mix)(inputs, normal([3, 6], 3));
    }));
});
