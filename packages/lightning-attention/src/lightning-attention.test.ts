import { rotaryAngles } from "@levin/kernels";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  LightningAttention,
  LightningAttentionState,
  lightningAttentionShapes,
  type AttentionOptions,
  type LightningAttentionConfig,
  type LightningAttentionWeights,
} from "./index.ts";

const minimax: LightningAttentionConfig = {
  hiddenSize: 12,
  numHeads: 3,
  headDim: 4,
  slopes: [0.6, 0.2, 0.01],
  blockSize: 4,
};

type Family = { config: LightningAttentionConfig; shapes: Record<string, number[]> };

const plain: Family = { config: minimax, shapes: lightningAttentionShapes(minimax) };

/** Norms and rotation of queries and keys, and a norm in groups. */
const ring: Family = {
  config: {
    ...minimax,
    variant: {
      ...{ rows: "by-kind", silu: "none", rotary: true, queryScale: 0.5 },
      ...{ normGroups: 2, normEpsilon: 1e-6, gate: "sigmoid" },
    },
  },
  shapes: { ...plain.shapes, queryNorm: [4], keyNorm: [4] },
};

const { norm: _norm, ...withoutNorm } = plain.shapes;

/** LRPE, a norm without weight, and a gate that is a factor. */
const transnormer: Family = {
  config: {
    ...minimax,
    variant: {
      ...{ rows: "by-kind", silu: "queries-and-keys", rotary: false, queryScale: 1 },
      ...{ normGroups: 1, normEpsilon: 1e-6, gate: "factor" },
    },
  },
  shapes: { ...withoutNorm, theta: [3, 1, 4] },
};

function randomLayer({ config, shapes }: Family = plain): LightningAttention {
  const parameters = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [
      name,
      // A seed of 0 would be none to tfjs: other numbers in every run.
      tf.randomNormal(shape, /norm/i.test(name) ? 1 : 0, 0.5, "float32", i + 1),
    ]),
  ) as unknown as LightningAttentionWeights;
  return new LightningAttention(config, parameters);
}

const randomInput = (batch: number, length: number): tf.Tensor3D =>
  tf.randomNormal([batch, length, minimax.hiddenSize], 0, 1, "float32", 42);

/** Tokens at these positions. */
function placed(positions: number[]): AttentionOptions {
  const angles = rotaryAngles([positions], { rotaryDim: 2, base: 100 });
  return { angles, positions: [positions] };
}

const at = (from: number, to: number): AttentionOptions =>
  placed(Array.from({ length: to - from }, (_, t) => from + t));

const cut = (x: tf.Tensor3D, from: number, to: number): tf.Tensor3D =>
  tf.slice3d(x, [0, from, 0], [x.shape[0], to - from, x.shape[2]]);

/** Expects the same to float32's rounding, which grows with the numbers: states reach 40 here. */
function expectClose(a: tf.Tensor, b: tf.Tensor): void {
  expect(a.shape).toEqual(b.shape);
  const scale = tf.maximum(1, tf.max(tf.abs(b)));
  expect(tf.div(tf.max(tf.abs(tf.sub(a, b))), scale).dataSync()[0]).toBeLessThan(1e-5);
}

describe.each(["cpu", "wasm"])("LightningAttention on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each([
    ["MiniMax", plain],
    ["Ring-linear", ring],
    ["TransNormerLLM", transnormer],
  ])(
    "gives the same by one pass, by prefill in pieces and token by token as %s",
    (_name, family) => {
      const layer = randomLayer(family);
      const x = randomInput(2, 11);
      const whole = layer.forward(x, at(0, 11));
      const pieces = layer.createState(2);
      const prefill = (from: number, to: number): tf.Tensor3D =>
        layer.prefill(cut(x, from, to), pieces, at(from, to));
      expectClose(tf.concat([prefill(0, 6), prefill(6, 11)], 1), whole);
      const single = layer.createState(2);
      const steps = Array.from({ length: 11 }, (_, t) =>
        layer.step(cut(x, t, t + 1), single, at(t, t + 1)),
      );
      expectClose(tf.concat(steps, 1), whole);
      expectClose(single.matrix, pieces.matrix);
    },
  );

  it.each([
    ["Ring-linear", ring],
    ["TransNormerLLM", transnormer],
  ])("depends on distances between tokens alone as %s", (_name, family) => {
    const layer = randomLayer(family);
    const x = randomInput(1, 7);
    const expected = layer.forward(x, at(0, 7));
    expectClose(layer.forward(x, at(10, 17)), expected);
    const once = layer.forward(x, placed(Array<number>(7).fill(0)));
    expect(tf.max(tf.abs(tf.sub(once, expected))).dataSync()[0]).toBeGreaterThan(0.01);
  });

  it("gives a left-padded row what the row gives alone", () => {
    const layer = randomLayer();
    const x = randomInput(1, 5);
    const padded = tf.concat([tf.fill([1, 3, minimax.hiddenSize], 7), x], 1) as tf.Tensor3D;
    const mask = tf.tensor2d([[0, 0, 0, 1, 1, 1, 1, 1]]);
    expectClose(cut(layer.forward(padded, { mask }), 3, 8), layer.forward(x));
    const [one, other] = [layer.createState(1), layer.createState(1)];
    layer.prefill(padded, one, { mask });
    layer.prefill(x, other);
    expectClose(one.matrix, other.matrix);
  });

  it("keeps a state of constant size that survives bytes and cloning", () => {
    const layer = randomLayer();
    const state = layer.createState(1);
    const size = state.byteLength;
    layer.prefill(randomInput(1, 9), state);
    expect(state.byteLength).toBe(size);
    const copy = state.clone();
    const restored = LightningAttentionState.deserialize(state.serialize(), [1, 3, 4]);
    const next = randomInput(1, 1);
    const expected = layer.step(next, state);
    expectClose(layer.step(next, copy), expected);
    expectClose(layer.step(next, restored), expected);
    expect(() => LightningAttentionState.deserialize(new Uint8Array(5), [1, 3, 4])).toThrow(
      /expected 192 bytes .* found 5/,
    );
  });

  it("puts rows of states together in any order", () => {
    const layer = randomLayer();
    const [one, two] = [layer.createState(1), layer.createState(2)];
    layer.prefill(randomInput(1, 4), one);
    layer.prefill(randomInput(2, 6), two);
    const joined = LightningAttentionState.ofRows([
      { state: two, rows: [1, 0] },
      { state: one, rows: [0] },
    ]);
    const expected = tf.concat([tf.reverse(two.matrix, 0), one.matrix]);
    expectClose(joined.matrix, expected);
  });

  it("leaves no tensors behind", () => {
    const layer = randomLayer();
    const x = randomInput(1, 6);
    layer.forward(x).dispose();
    const before = tf.memory().numTensors;
    const state = layer.createState(1);
    layer.prefill(x, state).dispose();
    layer.step(cut(x, 0, 1), state).dispose();
    state.dispose();
    expect(tf.memory().numTensors).toBe(before + 1); // the cut slice above
  });
});
