import * as tf from "@tensorflow/tfjs-core";
// Brings the gradients of the stock operations; tfjs-core alone has none.
import "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  dequantize,
  expertMixture,
  KernelShapeError,
  linear,
  type Expert,
  type QuantizedBits,
} from "../index.ts";
import { selectBackend } from "../node.ts";
import { expectSameOnWasm, normal } from "../testing/both-backends.ts";
import { oneAndTwoThreads, type RunFused } from "../testing/one-and-two-threads.ts";
import { fusedExpertMixture } from "./expert-mixture.ts";
import { fusedMatrixProduct } from "./matrix-product.ts";
import { quantized } from "../testing/quantized-weight.ts";

/** Few rows are rounded to 16 bits, see assembly/quantized-products.ts. */
const tolerance = 3e-4;

/** A random weight [rows, columns] as quantised blocks; float32 where rows are no whole blocks. */
function weight(rows: number, columns: number, bits: QuantizedBits, seed: number): tf.Tensor {
  const values = normal([rows, columns], seed);
  if (columns % 32 !== 0) return values;
  return quantized(values, bits);
}

const bits = fc.constantFrom<QuantizedBits>(8, 4);
const seed = fc.integer({ min: 1, max: 1e6 });

interface MixtureSizes {
  tokens: number;
  count: number;
  k: number;
  hidden: number;
  intermediate: number;
  bits: QuantizedBits;
  seed: number;
}

function mixtureInputs(p: MixtureSizes) {
  const k = Math.min(p.k, p.count);
  const choices = Array.from(
    { length: p.tokens * k },
    (_, i) => (Math.floor(i / k) * p.seed + i) % p.count,
  );
  const experts = Array.from({ length: p.count }, (_, e): Expert => ({
    gate: weight(p.intermediate, p.hidden, p.bits, p.seed + 10 + e),
    up: weight(p.intermediate, p.hidden, p.bits, p.seed + 30 + e),
    down: weight(p.hidden, p.intermediate, p.bits, p.seed + 50 + e),
  }));
  const routing = {
    experts: tf.tensor2d(choices, [p.tokens, k], "int32"),
    weights: tf.softmax(normal([p.tokens, k], p.seed + 1)) as tf.Tensor2D,
  };
  return { x: normal([p.tokens, p.hidden], p.seed) as tf.Tensor2D, routing, experts };
}

describe("quantised weights on wasm give the numbers of their reference on cpu", () => {
  it("in linear, for few rows and many", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          rows: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 70 })),
          columns: fc.integer({ min: 1, max: 300 }),
          blocks: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 20 })),
          bits,
          seed,
        }),
        (p) =>
          expectSameOnWasm(
            () => [
              linear(
                normal([p.rows, 32 * p.blocks], p.seed),
                weight(p.columns, 32 * p.blocks, p.bits, p.seed + 1),
              ),
            ],
            tolerance,
          ),
      ),
      { numRuns: 30 },
    ));

  it("in expertMixture, for few tokens and many, with down in float32 where it must be", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          tokens: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 7, max: 90 })),
          count: fc.integer({ min: 1, max: 6 }),
          k: fc.integer({ min: 1, max: 3 }),
          hidden: fc.constantFrom(32, 64, 288),
          intermediate: fc.constantFrom(20, 32, 96),
          bits,
          seed,
        }),
        (p) =>
          expectSameOnWasm(() => {
            const { x, routing, experts } = mixtureInputs(p);
            return [expertMixture(x, routing, experts)];
          }, tolerance),
      ),
      { numRuns: 25 },
    ));

  it("in gradients of what stands before them", () =>
    expectSameOnWasm(() => {
      const p = {
        tokens: 9,
        count: 3,
        k: 2,
        hidden: 64,
        intermediate: 32,
        bits: 8,
        seed: 3,
      } as const;
      const { x, routing, experts } = mixtureInputs(p);
      const projection = weight(64, 64, 4, 9);
      const layer = (input: tf.Tensor): tf.Tensor =>
        expertMixture(linear(input, projection) as tf.Tensor2D, routing, experts);
      return [tf.grad(layer)(x, normal([9, 64], 8))];
    }, tolerance));

  it.each([8, 4] as const)("near those of the float32 weights, %i bits", async (width) => {
    await selectBackend("wasm");
    const x = normal([3, 256], 1);
    const plain = normal([40, 256], 2);
    const quantised = linear(x, weight(40, 256, width, 2)).dataSync();
    const exact = linear(x, plain).dataSync() as Float32Array;
    const error = Math.hypot(...exact.map((y, i) => y - quantised[i]!)) / Math.hypot(...exact);
    expect(error).toBeLessThan(width === 8 ? 0.01 : 0.12);
  });
});

describe("dequantising while panels are packed", () => {
  it.each([8, 4] as const)("gives exactly the weights of %i bits", async (width) => {
    await selectBackend("wasm");
    const identity = tf.eye(64);
    const blocks = weight(13, 64, width, 5);
    const columns = linear(identity, blocks);
    const expected = dequantize(blocks.dataSync() as Int32Array, [13, 64], width);
    // A negative scale makes −0 of 0, which a sum does not keep.
    expect(tf.transpose(columns).dataSync()).toEqual(expected.map((value) => value + 0));
  });
});

describe("quantised weights of wrong shapes", () => {
  const refused = (compute: () => unknown): unknown => {
    try {
      compute();
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it("are refused with what was expected and found", () => {
    const wrong = refused(() => linear(normal([1, 96], 1), weight(8, 64, 8, 1)));
    expect(wrong).toBeInstanceOf(KernelShapeError);
    expect((wrong as Error).message).toBe(
      "linear: expected weight [8,96] or int32 [8,27] or [8,15], found int32 [8,18]",
    );
    const odd = refused(() => linear(normal([1, 40], 1), tf.zeros([8, 9], "int32")));
    expect((odd as Error).message).toBe("linear: expected weight [8,40], found int32 [8,9]");
  });

  it("are refused when experts differ", () => {
    const p = {
      tokens: 1,
      count: 2,
      k: 1,
      hidden: 32,
      intermediate: 32,
      bits: 8,
      seed: 1,
    } as const;
    const { x, routing, experts } = mixtureInputs(p);
    const mixed = [experts[0]!, { ...experts[1]!, up: normal([32, 32], 1) }];
    expect(() => expertMixture(x, routing, mixed)).toThrow(
      /up of expert 1 like gate of the first, int32 \[32,9\], found float32 \[32,32\]/,
    );
  });
});

describe("quantised weights on one thread and on two", () => {
  let runs: [RunFused, RunFused];
  beforeAll(async () => {
    runs = await oneAndTwoThreads();
  });

  const expectSame: (...job: Parameters<RunFused>) => void = (...job) => {
    const [one, two] = runs.map((run) => run(...job));
    expect(two).toEqual(one);
  };

  it.each([1, 3, 50])("give the same products of %i rows", (rows) => {
    for (const width of [8, 4] as const) {
      const inputs = { a: normal([rows, 96], 1), b: weight(77, 96, width, 2) };
      expectSame(fusedMatrixProduct, inputs, { transposeA: false, transposeB: true });
    }
  });

  it.each([1, 4, 60])("give the same mixture of %i tokens", (tokens) => {
    const p = { tokens, count: 4, k: 2, hidden: 64, intermediate: 96, bits: 4, seed: 7 } as const;
    const { x, routing, experts } = mixtureInputs(p);
    expectSame(fusedExpertMixture, { x, ...routing, ...named(experts) }, { count: 4 });
  });
});

function named(experts: readonly Expert[]): Record<string, tf.Tensor> {
  return Object.fromEntries(
    experts.flatMap(({ gate, up, down }, e): [string, tf.Tensor][] => [
      [`gate.${e}`, gate],
      [`up.${e}`, up],
      [`down.${e}`, down],
    ]),
  );
}
