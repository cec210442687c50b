import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { softmaxAttention } from "../index.ts";
import { expectSameOnWasm, normal } from "../testing/both-backends.ts";
import { oneAndTwoThreads, type RunFused } from "../testing/one-and-two-threads.ts";
import { maxDifference } from "../testing/finite-differences.ts";
import { fusedLightningAttention, fusedLightningAttentionGradient } from "./lightning-attention.ts";
import { fusedSoftmaxAttention, fusedSoftmaxAttentionGradient } from "./softmax-attention.ts";
import { lightningWithGradients } from "../testing/lightning-with-gradients.ts";

const tolerance = 1e-5;

/** 1 for real tokens; about a quarter is padding, whole blocks of it too. */
function padding(batch: number, length: number, seed: number, firstIsReal: boolean): tf.Tensor2D {
  const run = 1 + (seed % 40);
  const values = Float32Array.from({ length: batch * length }, (_, i) => {
    if (firstIsReal && i % length === 0) return 1;
    return (Math.floor(i / run) * (seed | 1)) % 4 === 0 ? 0 : 1;
  });
  return tf.tensor2d(values, [batch, length]);
}

interface LightningSizes {
  batch: number;
  heads: number;
  length: number;
  headDim: number;
  withState: boolean;
  withMask: boolean;
  seed: number;
}

function lightning(p: LightningSizes): tf.Tensor[] {
  const { batch, heads, length, headDim, withState, seed } = p;
  const slopes = Array.from({ length: heads }, (_, head) => 2 ** -(head + (seed % 5)));
  const mask = p.withMask ? padding(batch, length, seed, false) : undefined;
  const shape = [batch, heads, length, headDim] as const;
  return lightningWithGradients({ shape, slopes, mask, withState, seed });
}

describe("fused lightning attention gives what its reference gives on cpu", () => {
  it("for any sizes, state and padding", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: fc.integer({ min: 1, max: 2 }),
          heads: fc.integer({ min: 1, max: 3 }),
          length: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 150 })),
          headDim: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(16, 64)),
          withState: fc.boolean(),
          withMask: fc.boolean(),
          seed: fc.integer({ min: 1, max: 1e6 }),
        }),
        (p) => expectSameOnWasm(() => lightning(p), tolerance),
      ),
      { numRuns: 40 },
    ));

  it.each([
    { batch: 1, heads: 1, length: 460, headDim: 64 },
    { batch: 1, heads: 2, length: 130, headDim: 128 },
  ])("for %o", (sizes) =>
    expectSameOnWasm(
      () => lightning({ ...sizes, withState: true, withMask: true, seed: 5 }),
      tolerance,
    ),
  );
});

interface SoftmaxSizes {
  batch: number;
  kvHeads: number;
  group: number;
  /** Lengths of the segments of keys. */
  segments: number[];
  /** Tokens that ask, at most all keys. */
  queries: number;
  headDim: number;
  withMask: boolean;
  seed: number;
}

/** Output and all gradients; every query sees the first key, which is never padding. */
function softmax(p: SoftmaxSizes): tf.Tensor[] {
  const { batch, kvHeads, group, segments, headDim, seed } = p;
  const keys = segments.reduce((sum, length) => sum + length, 0);
  const length = Math.min(p.queries, keys);
  const shape = [batch, kvHeads * group, length, headDim];
  const mask = p.withMask ? padding(batch, keys, seed, true) : undefined;
  const segment = (size: number, i: number): tf.Tensor =>
    normal([batch, kvHeads, size, headDim], seed + i + 1);
  const count = segments.length;
  const inputs = [normal(shape, seed), ...[...segments, ...segments].map(segment)];
  const attend = (...[queries, ...rest]: tf.Tensor[]): tf.Tensor =>
    softmaxAttention({
      queries: queries as tf.Tensor4D,
      keys: rest.slice(0, count) as tf.Tensor4D[],
      values: rest.slice(count) as tf.Tensor4D[],
      mask,
    });
  return [attend(...inputs), ...tf.grads(attend)(inputs, normal(shape, seed + 99))];
}

describe("fused softmax attention gives what its reference gives on cpu", () => {
  it("for any sizes, groups, segments and padding", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: fc.integer({ min: 1, max: 2 }),
          kvHeads: fc.integer({ min: 1, max: 2 }),
          group: fc.integer({ min: 1, max: 5 }),
          segments: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 3 }),
          queries: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 200 })),
          headDim: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(16, 64)),
          withMask: fc.boolean(),
          seed: fc.integer({ min: 1, max: 1e6 }),
        }),
        (p) => expectSameOnWasm(() => softmax(p), tolerance),
      ),
      { numRuns: 40 },
    ));

  it.each([
    { segments: [330], queries: 330, group: 2 },
    { segments: [300, 2000, 7], queries: 1, group: 4 },
    { segments: [700, 200], queries: 200, group: 1 },
  ])("for %o", (sizes) =>
    expectSameOnWasm(
      () => softmax({ batch: 1, kvHeads: 1, headDim: 64, withMask: true, seed: 5, ...sizes }),
      tolerance,
    ),
  );
});

describe("fused attention on one thread and on two", () => {
  let runs: [RunFused, RunFused];
  beforeAll(async () => {
    runs = await oneAndTwoThreads();
  });

  /** To rounding: gradients of keys may be summed in another order. */
  const expectSame: (...job: Parameters<RunFused>) => void = (...job) => {
    const [one, two] = runs.map((run) => run(...job).map((values) => tf.tensor1d(values)));
    one!.forEach((x, i) => expect(maxDifference(x, two![i]!)).toBeLessThan(1e-5));
  };

  it.each([1, 3])("lightning attention of %i heads", (heads) => {
    const shape = [1, heads, 77, 24];
    const square = [1, heads, 24, 24];
    const [queries, keys, values, outputGradient] = [1, 2, 3, 4].map((seed) =>
      normal(shape, seed),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const [state, nextGradient] = [normal(square, 5), normal(square, 6)];
    const attributes = { slopes: [0.3, 0.1, 0.01].slice(0, heads) };
    const forward = { queries, keys, values, state };
    expectSame(fusedLightningAttention, forward, attributes);
    expectSame(
      fusedLightningAttentionGradient,
      { ...forward, outputGradient, nextGradient },
      attributes,
    );
    const token = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 0, 5, 0], [1, heads, 1, 24]);
    expectSame(
      fusedLightningAttention,
      { queries: token(queries), keys: token(keys), values: token(values), state },
      attributes,
    );
  });

  it.each([1, 2])("softmax attention of %i key-value heads", (kvHeads) => {
    const [queries, upstream] = [1, 2].map((seed) => normal([1, 4, 150, 24], seed)) as [
      tf.Tensor,
      tf.Tensor,
    ];
    const inputs = {
      queries,
      "keys.0": normal([1, kvHeads, 700, 24], 3),
      "keys.1": normal([1, kvHeads, 150, 24], 4),
      "values.0": normal([1, kvHeads, 700, 24], 5),
      "values.1": normal([1, kvHeads, 150, 24], 6),
    };
    expectSame(fusedSoftmaxAttention, inputs, { segments: 2 });
    expectSame(fusedSoftmaxAttentionGradient, { ...inputs, upstream }, { segments: 2 });
    const token = tf.slice(queries, [0, 0, 5, 0], [1, 4, 1, 24]);
    expectSame(fusedSoftmaxAttention, { ...inputs, queries: token }, { segments: 2 });
  });
});
