import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dequantize, quantize, quantizedWords, QuantizationError } from "../index.ts";

/** Rows of whole blocks, of any magnitude that float32 keeps precisely. */
const matrix = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    blocks: fc.integer({ min: 1, max: 4 }),
    exponent: fc.integer({ min: -60, max: 60 }),
  })
  .chain(({ rows, blocks, exponent }) =>
    fc
      .array(fc.double({ min: -1, max: 1, noNaN: true }), {
        minLength: rows * blocks * 32,
        maxLength: rows * blocks * 32,
      })
      .map((numbers) => ({
        shape: [rows, blocks * 32] as [number, number],
        // Nothing so small that float32 would drop bits of it.
        values: Float32Array.from(numbers, (x) => (Math.abs(x) < 2 ** -40 ? 0 : x * 2 ** exponent)),
      })),
  );

function blocksOf(values: Float32Array): Float32Array[] {
  return Array.from({ length: values.length / 32 }, (_, b) => values.subarray(32 * b, 32 * b + 32));
}

const largest = (block: Float32Array): number =>
  block.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

describe("quantize and dequantize", () => {
  it("keep 8 bits of each block", () =>
    fc.assert(
      fc.property(matrix, ({ values, shape }) => {
        const words = quantize(values, shape, 8);
        expect(words.length).toBe(shape[0] * quantizedWords(shape[1], 8));
        const back = blocksOf(dequantize(words, shape, 8));
        blocksOf(values).forEach((block, b) => {
          const bound = (largest(block) / 254) * (1 + 1e-5);
          block.forEach((x, k) => expect(Math.abs(back[b]![k]! - x)).toBeLessThanOrEqual(bound));
        });
      }),
    ));

  it("keep 4 bits of each block, with no more squared error than steps of an eighth give", () =>
    fc.assert(
      fc.property(matrix, ({ values, shape }) => {
        const words = quantize(values, shape, 4);
        expect(words.length).toBe(shape[0] * quantizedWords(shape[1], 4));
        const back = blocksOf(dequantize(words, shape, 4));
        blocksOf(values).forEach((block, b) => {
          const step = largest(block) / 8;
          const error = block.reduce(
            (sum, x, k) => sum + ((x - back[b]![k]!) / (step || 1)) ** 2,
            0,
          );
          // Rounding errs by half a step; a weight opposite to the largest is clipped by up to one.
          expect(error).toBeLessThanOrEqual(32 * 1.0001);
        });
      }),
    ));

  it.each([8, 4] as const)("with %i bits give back what they gave before", (bits) =>
    fc.assert(
      fc.property(matrix, ({ values, shape }) => {
        const once = dequantize(quantize(values, shape, bits), shape, bits);
        const twice = dequantize(quantize(once, shape, bits), shape, bits);
        const scale = Math.max(...blocksOf(once).map(largest));
        // The scale itself may be off by its last bit.
        twice.forEach((x, i) => expect(Math.abs(x - once[i]!)).toBeLessThanOrEqual(scale * 1e-6));
      }),
      { numRuns: 30 },
    ),
  );

  it("err by a tenth of a step of normally distributed weights with 4 bits", () => {
    const values = Float32Array.from({ length: 32 * 400 }, (_, i) => {
      const [u, v] = [((i * 7919 + 13) % 10007) / 10007, ((i * 104_729 + 7) % 9973) / 9973];
      return Math.sqrt(-2 * Math.log(u + 1e-9)) * Math.cos(2 * Math.PI * v);
    });
    const error = (bits: 8 | 4): number => {
      const back = dequantize(quantize(values, [400, 32], bits), [400, 32], bits);
      const squares = values.reduce((sum, x, i) => sum + (x - back[i]!) ** 2, 0);
      return Math.sqrt(squares / values.reduce((sum, x) => sum + x * x, 0));
    };
    expect(error(8)).toBeLessThan(0.006);
    expect(error(4)).toBeLessThan(0.08);
  });

  it("keep zeros and numbers too small for a scale", () => {
    for (const bits of [8, 4] as const) {
      const tiny = new Float32Array(32).fill(1e-45);
      expect(dequantize(quantize(new Float32Array(32), [1, 32], bits), [1, 32], bits)).toEqual(
        new Float32Array(32),
      );
      dequantize(quantize(tiny, [1, 32], bits), [1, 32], bits).forEach((x) =>
        expect(Math.abs(x)).toBeLessThan(1e-40),
      );
    }
  });

  it("refuse rows of no whole blocks, sizes that differ, and NaN", () => {
    const of = (length: number): Float32Array => new Float32Array(length);
    expect(() => quantize(of(40), [1, 40], 8)).toThrow(QuantizationError);
    expect(() => quantize(of(40), [1, 40], 8)).toThrow(/multiple of 32 weights, found 40/);
    expect(() => quantize(of(33), [1, 32], 8)).toThrow(/expected 32 values for \[1,32\], found 33/);
    expect(() => quantize(of(32).fill(NaN), [1, 32], 4)).toThrow(/finite weights, found NaN/);
    expect(() => dequantize(new Int32Array(8), [1, 32], 8)).toThrow(/expected 9 words.*found 8/);
  });
});
