import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  KernelShapeError,
  linear,
  rmsNorm,
  type DecodeStep,
  type QuantizedBits,
} from "../index.ts";
import { normal } from "../testing/both-backends.ts";
import { oneAndTwoThreads, type RunFused } from "../testing/one-and-two-threads.ts";
import { fusedDecodeStep } from "./decode-step.ts";
import { quantized } from "../testing/quantized-weight.ts";

const [hidden, heads, kvHeads, headDim, intermediate, vocab] = [64, 4, 2, 16, 96, 40];
const width = heads * headDim;

/** A step of a lightning and a softmax layer with random weights; 0 bits for float32. */
function randomStep(batch: number, bits: QuantizedBits | 0): DecodeStep {
  let seed = 1;
  const random = (...shape: number[]): tf.Tensor => tf.mul(normal(shape, seed++), 0.2);
  const weight = (rows: number, columns: number): tf.Tensor => {
    const values = random(rows, columns);
    if (bits === 0) return values;
    return quantized(values, bits);
  };
  const residual = (postnorm: boolean) => ({
    ...{ norm: random(hidden), epsilon: 1e-5, alpha: 1.5, beta: 0.5, postnorm },
  });
  const mixture = () => ({
    ...residual(true),
    router: random(4, hidden),
    experts: Array.from({ length: 4 }, () => ({
      gate: weight(intermediate, hidden),
      up: weight(intermediate, hidden),
      down: weight(hidden, intermediate),
    })),
    k: 2,
  });
  const segment = (length: number) => ({
    keys: random(batch, kvHeads, length, headDim) as tf.Tensor4D,
    values: random(batch, kvHeads, length, headDim) as tf.Tensor4D,
  });
  const angles = new Float32Array(batch * 4).map((_, i) => i);
  return {
    ids: Array.from({ length: batch }, (_, row) => (7 * row + 3) % vocab),
    angles: { cos: angles.map(Math.cos), sin: angles.map(Math.sin) },
    embedding: random(vocab, hidden),
    layers: [
      {
        attention: {
          kind: "lightning",
          ...residual(true),
          slopes: [0.3, 0.1, 0.03, 0.01],
          qkvProjection: weight(3 * width, hidden),
          innerNorm: random(width),
          outputGate: weight(width, hidden),
          outputProjection: weight(hidden, width),
          state: random(batch, heads, headDim, headDim) as tf.Tensor4D,
        },
        mixture: mixture(),
      },
      {
        attention: {
          kind: "softmax",
          ...residual(false),
          ...{ numHeads: heads, numKeyValueHeads: kvHeads, headDim },
          queryProjection: weight(width, hidden),
          keyProjection: weight(kvHeads * headDim, hidden),
          valueProjection: weight(kvHeads * headDim, hidden),
          outputProjection: weight(hidden, width),
          settled: segment(700),
          recent: segment(5),
        },
        mixture: mixture(),
      },
    ],
    head: { norm: random(hidden), epsilon: 1e-5, weight: random(vocab, hidden) },
  };
}

describe("a decoding step on one thread and on two", () => {
  let runs: [RunFused, RunFused];
  beforeAll(async () => {
    runs = await oneAndTwoThreads();
  });

  it.each([
    [1, 0],
    [1, 8],
    [1, 4],
    [4, 0],
    [7, 8],
    [9, 4],
  ] as const)("gives the same, batch %i, %i bits", (batch, bits) => {
    // Of each run its own state: that of a step is overwritten where nobody else holds it.
    const [one, two] = runs.map((run) =>
      run(fusedDecodeStep, {}, { step: randomStep(batch, bits) }),
    );
    expect(two).toEqual(one);
    expect(one!.at(-1)!.length).toBe(batch * vocab);
  });

  it("gives each row of a batch what it gets alone", () => {
    const step = randomStep(6, 0);
    const whole = runs[0](fusedDecodeStep, {}, { step: randomStep(6, 0) }).at(-1)!;
    step.ids.forEach((id, row) => {
      const rowOf = <T extends tf.Tensor>(x: T): T => tf.slice(x, row, 1) as unknown as T;
      const alone = {
        ...step,
        ids: [id],
        angles: {
          cos: step.angles.cos.slice(4 * row, 4 * row + 4),
          sin: step.angles.sin.slice(4 * row, 4 * row + 4),
        },
        layers: step.layers.map(({ attention, mixture }) => ({
          attention:
            attention.kind === "lightning"
              ? { ...attention, state: rowOf(attention.state) }
              : {
                  ...attention,
                  settled: {
                    keys: rowOf(attention.settled!.keys),
                    values: rowOf(attention.settled!.values),
                  },
                  recent: {
                    keys: rowOf(attention.recent!.keys),
                    values: rowOf(attention.recent!.values),
                  },
                },
          mixture,
        })),
      };
      const logits = runs[1](fusedDecodeStep, {}, { step: alone }).at(-1)!;
      logits.forEach((value, i) => expect(whole[row * vocab + i]).toBeCloseTo(value, 4));
    });
  });

  it("without a head ends with the hidden states, of which norm and head make the logits", () => {
    const step = randomStep(3, 0);
    const { norm, epsilon, weight } = step.head!;
    const [states, logits] = [undefined, step.head].map((head) =>
      runs[1](fusedDecodeStep, {}, { step: { ...randomStep(3, 0), head } }).at(-1)!,
    );
    const expected = tf.tidy(() =>
      linear(rmsNorm(tf.tensor2d(states!, [3, hidden]), norm, epsilon), weight).dataSync(),
    );
    expect(states!.length).toBe(3 * hidden);
    logits!.forEach((value, i) => expect(expected[i]).toBeCloseTo(value, 4));
  });

  it("refuses projections of different kinds, and ids that are none", () => {
    const step = randomStep(1, 8);
    const [{ attention, mixture }] = step.layers as [DecodeStep["layers"][number]];
    const mixed = { ...attention, outputGate: normal([width, hidden], 6) } as typeof attention;
    const run = (changed: Partial<DecodeStep>) => () =>
      runs[0](fusedDecodeStep, {}, { step: { ...step, ...changed } });
    expect(run({ layers: [{ attention: mixed, mixture }] })).toThrow(KernelShapeError);
    expect(run({ layers: [{ attention: mixed, mixture }] })).toThrow(/of the same kind of weights/);
    expect(run({ ids: [vocab] })).toThrow(/expected ids below 40, found 40/);
  });
});
