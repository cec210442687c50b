import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  LightningAttention,
  LightningAttentionState,
  lightningAttentionShapes,
  type LightningAttentionConfig,
  type LightningAttentionParameters,
} from "./index.ts";

const config: LightningAttentionConfig = {
  hiddenSize: 12,
  numHeads: 3,
  headDim: 4,
  slopes: [0.6, 0.2, 0.01],
  blockSize: 4,
};

function randomLayer(): LightningAttention {
  const parameters = Object.fromEntries(
    Object.entries(lightningAttentionShapes(config)).map(([name, shape], seed) => [
      name,
      tf.randomNormal(shape, name === "norm" ? 1 : 0, 0.5, "float32", seed),
    ]),
  ) as unknown as LightningAttentionParameters;
  return new LightningAttention(config, parameters);
}

const randomInput = (batch: number, length: number): tf.Tensor3D =>
  tf.randomNormal([batch, length, config.hiddenSize], 0, 1, "float32", 42);

const cut = (x: tf.Tensor3D, from: number, to: number): tf.Tensor3D =>
  tf.slice3d(x, [0, from, 0], [x.shape[0], to - from, x.shape[2]]);

function expectClose(a: tf.Tensor, b: tf.Tensor): void {
  expect(a.shape).toEqual(b.shape);
  expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]).toBeLessThan(1e-5);
}

describe.each(["cpu", "wasm"])("LightningAttention on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("gives the same by one pass, by prefill in pieces and token by token", () => {
    const layer = randomLayer();
    const x = randomInput(2, 11);
    const whole = layer.forward(x);
    const pieces = layer.createState(2);
    expectClose(
      tf.concat([layer.prefill(cut(x, 0, 6), pieces), layer.prefill(cut(x, 6, 11), pieces)], 1),
      whole,
    );
    const single = layer.createState(2);
    const steps = Array.from({ length: 11 }, (_, t) => layer.step(cut(x, t, t + 1), single));
    expectClose(tf.concat(steps, 1), whole);
    expectClose(single.matrix, pieces.matrix);
  });

  it("gives a left-padded row what the row gives alone", () => {
    const layer = randomLayer();
    const x = randomInput(1, 5);
    const padded = tf.concat([tf.fill([1, 3, config.hiddenSize], 7), x], 1) as tf.Tensor3D;
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
