import * as tf from "@tensorflow/tfjs-core";
// Brings the gradient of `tf.stack`.
import "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  embedding,
  mergeHeads,
  rotaryAngles,
  rotaryEmbedding,
  routeTopExperts,
  splitHeads,
} from "../index.ts";
import { selectBackend } from "../node.ts";
import { expectSameOnWasm, normal } from "../testing/both-backends.ts";

const some = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const check = <T>(problem: fc.Arbitrary<T>, compute: (problem: T) => tf.Tensor[]): Promise<void> =>
  fc.assert(
    fc.asyncProperty(problem, (p) => expectSameOnWasm(() => compute(p))),
    { numRuns: 20 },
  );
const sizes = {
  batch: some(3),
  heads: some(4),
  length: fc.oneof(some(4), some(150)),
  size: some(20),
  seed: some(1e6),
};

describe("fused kernels on wasm give values and gradients of their references on cpu", () => {
  it("splitHeads and mergeHeads, for any number of parts", () =>
    check(
      fc.record({ ...sizes, parts: some(3) }),
      ({ batch, heads, length, size, parts, seed }) => {
        const x = normal([batch, length, heads * parts * size], seed) as tf.Tensor3D;
        const outputs = splitHeads(x, heads, parts);
        const split = (rows: tf.Tensor): tf.Tensor =>
          tf.stack(splitHeads(rows as tf.Tensor3D, heads, parts));
        return [
          ...outputs,
          mergeHeads(outputs[0]!),
          tf.grad(split)(x, normal([parts, batch, heads, length, size], seed + 1)),
          tf.grad((head) => mergeHeads(head as tf.Tensor4D))(
            outputs[0]!,
            normal([batch, length, heads * size], seed + 2),
          ),
        ];
      },
    ));

  it("rotaryEmbedding, with angles of each sequence or of all, of some or all dimensions", () =>
    check(
      fc.record({ ...sizes, half: some(10), shared: fc.boolean() }),
      ({ batch, heads, length, size, half, shared, seed }) => {
        const x = normal([batch, heads, length, 2 * half + size - 1], seed) as tf.Tensor4D;
        const positions = Array.from({ length: shared ? 1 : batch }, (_, b) =>
          Array.from({ length }, (_unused, t) => t + 7 * b),
        );
        const angles = rotaryAngles(positions, { rotaryDim: 2 * half, base: 100 });
        const rotate = (y: tf.Tensor): tf.Tensor => rotaryEmbedding(y as tf.Tensor4D, angles);
        return [rotate(x), tf.grad(rotate)(x, normal(x.shape, seed + 1))];
      },
    ));

  it("embedding, with a row that is not trained", () =>
    check(fc.record({ ...sizes, rows: some(30) }), ({ batch, length, size, rows, seed }) => {
      const ids = Array.from({ length: batch * length }, (_, i) => (i * seed) % rows);
      const look = (table: tf.Tensor): tf.Tensor =>
        embedding(tf.tensor2d(ids, [batch, length], "int32"), table, seed % 5);
      const table = normal([rows, size], seed);
      return [look(table), tf.grad(look)(table, normal([batch, length, size], seed + 1))];
    }));

  it("routeTopExperts", () =>
    check(
      fc.record({ ...sizes, experts: some(40), k: some(5) }),
      ({ length, experts, seed, ...p }) => {
        const k = Math.min(p.k, experts);
        const logits = normal([length, experts], seed) as tf.Tensor2D;
        const weights = (l: tf.Tensor): tf.Tensor => routeTopExperts(l as tf.Tensor2D, k).weights;
        const routing = routeTopExperts(logits, k);
        return [
          tf.cast(routing.experts, "float32"),
          routing.weights,
          ...(experts > 1 ? [tf.grad(weights)(logits, normal([length, k], seed + 1))] : []),
        ];
      },
    ));
});

describe("routeTopExperts on wasm", () => {
  beforeAll(() => selectBackend("wasm"));

  it("prefers the first of equals and still names experts where logits are no numbers", () => {
    const { experts } = routeTopExperts(
      tf.tensor2d([
        [1, 2, 2, 1],
        [NaN, NaN, NaN, NaN],
      ]),
      3,
    );
    const [equals, none] = experts.arraySync() as [number[], number[]];
    expect(equals).toEqual([1, 2, 0]);
    expect(new Set(none).size).toBe(3);
    expect(none.every((expert) => expert >= 0 && expert < 4)).toBe(true);
  });
});
