import * as tf from "@tensorflow/tfjs-core";
// Brings the gradients of the stock operations; tfjs-core alone has none.
import "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { describe, it } from "vitest";
import { softmaxAttention } from "../index.ts";
import { normal } from "../testing/both-backends.ts";
import { expectSameOnWebGpu, hasWebGpu } from "../testing/on-webgpu.ts";
import { lightningWithGradients } from "../testing/lightning-with-gradients.ts";

const some = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const runs = 8;

/** 1 for real tokens; about a third is padding, the first token of a row never. */
function padding(batch: number, length: number, seed: number): tf.Tensor2D {
  const values = Float32Array.from({ length: batch * length }, (_, i) =>
    i % length > 0 && (Math.floor(i / 3) * seed) % 3 === 0 ? 0 : 1,
  );
  return tf.tensor2d(values, [batch, length]);
}

interface LightningCase {
  shape: [batch: number, heads: number, length: number, headDim: number];
  withState: boolean;
  withMask: boolean;
}

function lightning({ shape, withState, withMask }: LightningCase): tf.Tensor[] {
  const [batch, heads, length] = shape;
  const slopes = Array.from({ length: heads }, (_, head) => 2 ** -(head + 1));
  const mask = withMask ? padding(batch, length, 7) : undefined;
  return lightningWithGradients({ shape, slopes, mask, withState, seed: 0 });
}

describe.skipIf(!hasWebGpu)("lightning attention on WebGPU gives what its reference gives", () => {
  it.each<LightningCase>([
    { shape: [2, 3, 1, 5], withState: false, withMask: false },
    { shape: [2, 5, 1, 16], withState: true, withMask: true },
    { shape: [1, 2, 7, 3], withState: false, withMask: false },
    { shape: [2, 2, 64, 16], withState: true, withMask: false },
    { shape: [2, 3, 150, 20], withState: true, withMask: true },
    { shape: [1, 1, 65, 70], withState: true, withMask: true },
  ])("%o", (sizes) => expectSameOnWebGpu(() => lightning(sizes)));

  it("for any sizes", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          shape: fc.tuple(some(2), some(4), fc.oneof(some(3), some(150)), some(70)),
          withState: fc.boolean(),
          withMask: fc.boolean(),
        }),
        (sizes) => expectSameOnWebGpu(() => lightning(sizes)),
      ),
      { numRuns: runs },
    ));
});

interface SoftmaxCase {
  batch: number;
  kvHeads: number;
  group: number;
  segments: number[];
  queries: number;
  headDim: number;
  withMask: boolean;
}

/** Output and the gradients of queries, keys and values. */
function softmax(p: SoftmaxCase): tf.Tensor[] {
  const { batch, kvHeads, group, segments, headDim } = p;
  const total = segments.reduce((sum, length) => sum + length, 0);
  const shape = [batch, kvHeads * group, p.queries, headDim];
  const mask = p.withMask ? padding(batch, total, 5) : undefined;
  const parts = [...segments, ...segments].map((length, i) =>
    normal([batch, kvHeads, length, headDim], i + 1),
  );
  const attend = (...[queries, ...rest]: tf.Tensor[]): tf.Tensor =>
    softmaxAttention({
      queries: queries as tf.Tensor4D,
      keys: rest.slice(0, segments.length) as tf.Tensor4D[],
      values: rest.slice(segments.length) as tf.Tensor4D[],
      mask,
    });
  const inputs = [normal(shape, 50), ...parts];
  return [attend(...inputs), ...tf.grads(attend)(inputs, normal(shape, 99))];
}

describe.skipIf(!hasWebGpu)("softmax attention on WebGPU gives what its reference gives", () => {
  it.each<SoftmaxCase>([
    { batch: 1, kvHeads: 1, group: 1, segments: [1], queries: 1, headDim: 3, withMask: false },
    { batch: 2, kvHeads: 2, group: 3, segments: [9, 4], queries: 1, headDim: 16, withMask: true },
    {
      batch: 1,
      kvHeads: 1,
      group: 2,
      segments: [300, 220],
      queries: 3,
      headDim: 70,
      withMask: false,
    },
    { batch: 2, kvHeads: 1, group: 2, segments: [40], queries: 40, headDim: 20, withMask: true },
    {
      batch: 1,
      kvHeads: 2,
      group: 1,
      segments: [50, 30],
      queries: 19,
      headDim: 16,
      withMask: false,
    },
    // More segments than a shader has buffers for.
    {
      batch: 1,
      kvHeads: 1,
      group: 1,
      segments: [3, 4, 5, 6, 7, 8],
      queries: 6,
      headDim: 4,
      withMask: true,
    },
  ])("%o", (sizes) => expectSameOnWebGpu(() => softmax(sizes)));

  it("for any sizes", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: some(2),
          kvHeads: some(2),
          group: some(4),
          segments: fc.array(some(300), { minLength: 1, maxLength: 2 }),
          queries: fc.oneof(some(4), some(60)),
          headDim: fc.constantFrom(5, 16, 33),
          withMask: fc.boolean(),
        }),
        ({ queries, segments, ...sizes }) => {
          const keys = segments.reduce((sum, length) => sum + length, 0);
          const all = { ...sizes, segments, queries: Math.min(queries, keys) };
          return expectSameOnWebGpu(() => softmax(all));
        },
      ),
      { numRuns: runs },
    ));
});
