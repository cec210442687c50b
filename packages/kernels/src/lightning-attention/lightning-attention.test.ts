import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { selectBackend } from "../node.ts";
import { gradientError, maxDifference, weightedSum } from "../testing/finite-differences.ts";
import { lightningAttention, type LightningForm } from "./lightning-attention.ts";

/** The specification (SPEC 6.3) in plain loops, float64: shares no code with the kernel. */
function specification(
  q: number[],
  k: number[],
  v: number[],
  s: number[],
  [B, n, T, D]: [number, number, number, number],
  mask: number[],
  initial?: number[],
): { output: number[]; state: number[] } {
  const state = initial ? [...initial] : Array<number>(B * n * D * D).fill(0);
  const output = Array<number>(B * n * T * D).fill(0);
  for (let b = 0; b < B; b++)
    for (let h = 0; h < n; h++)
      for (let t = 0; t < T; t++) {
        if (mask[b * T + t] === 0) continue;
        const row = ((b * n + h) * T + t) * D;
        for (let i = 0; i < D; i++)
          for (let j = 0; j < D; j++) {
            const at = ((b * n + h) * D + i) * D + j;
            state[at] = Math.exp(-s[h]!) * state[at]! + k[row + i]! * v[row + j]!;
            output[row + j]! += q[row + i]! * state[at]!;
          }
      }
  return { output, state };
}

const problem = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    heads: fc.integer({ min: 1, max: 3 }),
    length: fc.integer({ min: 1, max: 19 }),
    headDim: fc.integer({ min: 1, max: 6 }),
    blockSize: fc.integer({ min: 1, max: 8 }),
    seed: fc.integer({ min: 1 }),
    withState: fc.boolean(),
    withMask: fc.boolean(),
  })
  .map((p) => {
    const shape: [number, number, number, number] = [p.batch, p.heads, p.length, p.headDim];
    const draw = (size: number, offset: number): number[] => [
      ...tf.randomNormal([size], 0, 1, "float32", p.seed + offset).dataSync(),
    ];
    const size = p.batch * p.heads * p.length * p.headDim;
    return {
      ...p,
      shape,
      queries: draw(size, 1),
      keys: draw(size, 2),
      values: draw(size, 3),
      state: p.withState ? draw(p.batch * p.heads * p.headDim ** 2, 4) : undefined,
      mask: draw(p.batch * p.length, 5).map((x) => (p.withMask && x < 0 ? 0 : 1)),
      slopes: draw(p.heads, 6).map((x) => Math.abs(x)),
    };
  });

describe.each(["cpu", "wasm"])("lightningAttention on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("gives the specification's numbers in every form, for any mask, state and block size", () => {
    fc.assert(
      fc.property(problem, (p) => {
        const expected = specification(
          p.queries,
          p.keys,
          p.values,
          p.slopes,
          p.shape,
          p.mask,
          p.state,
        );
        const stateShape: [number, number, number, number] = [
          p.batch,
          p.heads,
          p.headDim,
          p.headDim,
        ];
        for (const form of ["recurrent", "chunked", "quadratic"] as LightningForm[]) {
          tf.tidy(() => {
            const { output, state } = lightningAttention({
              queries: tf.tensor4d(p.queries, p.shape),
              keys: tf.tensor4d(p.keys, p.shape),
              values: tf.tensor4d(p.values, p.shape),
              slopes: p.slopes,
              state: p.state && tf.tensor4d(p.state, stateShape),
              mask: p.withMask ? tf.tensor2d(p.mask, [p.batch, p.length]) : undefined,
              blockSize: p.blockSize,
              form,
            });
            const scale = 1 + Math.max(...expected.output.map(Math.abs));
            expect(maxDifference(output, tf.tensor4d(expected.output, p.shape))).toBeLessThan(
              1e-5 * scale,
            );
            expect(maxDifference(state, tf.tensor4d(expected.state, stateShape))).toBeLessThan(
              1e-5 * scale,
            );
          });
        }
      }),
      { numRuns: 40 },
    );
  });

  it("continues from a state as if the sequence had never been cut", () => {
    tf.tidy(() => {
      const [q, k, v] = [1, 2, 3].map((seed) =>
        tf.randomNormal<tf.Rank.R4>([2, 2, 13, 4], 0, 1, "float32", seed),
      ) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const slopes = [0.5, 0.01];
      const whole = lightningAttention({ queries: q, keys: k, values: v, slopes });
      const part = (from: number, size: number, state?: tf.Tensor4D) => {
        const cut = (x: tf.Tensor4D) => tf.slice4d(x, [0, 0, from, 0], [2, 2, size, 4]);
        return lightningAttention({
          queries: cut(q),
          keys: cut(k),
          values: cut(v),
          slopes,
          state,
          blockSize: 3,
        });
      };
      const first = part(0, 7);
      const second = part(7, 5, first.state);
      const third = part(12, 1, second.state);
      const joined = tf.concat([first.output, second.output, third.output], 2);
      expect(maxDifference(joined, whole.output)).toBeLessThan(1e-5);
      expect(maxDifference(third.state, whole.state)).toBeLessThan(1e-5);
    });
  });

  it.each([
    ["chunked", false],
    ["chunked", true],
    ["recurrent", true],
    ["quadratic", true],
  ] as [LightningForm, boolean][])(
    "has the gradient of finite differences (%s, mask %s)",
    (form, masked) => {
      const shape: [number, number, number, number] = [2, 2, 7, 2];
      const tensors = [1, 2, 3].map((seed) => tf.randomNormal(shape, 0, 1, "float32", seed));
      const initial = tf.randomNormal([2, 2, 2, 2], 0, 1, "float32", 4);
      const mask = masked
        ? tf.tensor2d([0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1], [2, 7])
        : undefined;
      const error = gradientError(
        (queries, keys, values, state) => {
          const result = lightningAttention({
            queries: queries as tf.Tensor4D,
            keys: keys as tf.Tensor4D,
            values: values as tf.Tensor4D,
            state: state as tf.Tensor4D,
            slopes: [0.7, 0.05],
            mask,
            blockSize: 3,
            form,
          });
          return tf.add(weightedSum(result.output), weightedSum(result.state));
        },
        [...tensors, initial],
      );
      expect(error).toBeLessThan(2e-3);
    },
  );

  it("names what does not fit", () => {
    const x = tf.zeros<tf.Rank.R4>([1, 2, 3, 4]);
    expect(() => lightningAttention({ queries: x, keys: x, values: x, slopes: [1] })).toThrow(
      /expected 2 slopes.*found 1 slopes/,
    );
    const short = tf.zeros<tf.Rank.R4>([1, 2, 2, 4]);
    expect(() =>
      lightningAttention({ queries: x, keys: short, values: x, slopes: [1, 1] }),
    ).toThrow(/expected keys \[1,2,3,4\], found \[1,2,2,4\]/);
  });
});
