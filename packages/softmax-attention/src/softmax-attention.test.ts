import { rotaryAngles } from "@levin/kernels";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { layers, loadLayersModel, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  KeyValueCache,
  SoftmaxAttention,
  softmaxAttentionShapes,
  type SoftmaxAttentionParameters,
} from "./index.ts";
import { SoftmaxAttentionLayer } from "./layers.ts";

const config = { hiddenSize: 12, numHeads: 4, numKeyValueHeads: 2, headDim: 6 };
const rotary = { rotaryDim: 4, base: 100 };

function randomLayer(normalised = false): SoftmaxAttention {
  const parameters = Object.fromEntries(
    Object.entries(softmaxAttentionShapes(config)).map(([name, shape], i) => [
      name,
      // A seed of 0 would be none to tfjs: other numbers in every run.
      tf.randomNormal(shape, 0, 0.5, "float32", i + 1),
    ]),
  ) as unknown as SoftmaxAttentionParameters;
  if (!normalised) return new SoftmaxAttention(config, parameters);
  const norm = (seed: number): tf.Tensor => tf.randomNormal([6], 1, 0.5, "float32", seed);
  return new SoftmaxAttention(
    { ...config, normEpsilon: 1e-6 },
    { ...parameters, queryNorm: norm(11), keyNorm: norm(12) },
  );
}

const randomInput = (batch: number, length: number): tf.Tensor3D =>
  tf.randomNormal([batch, length, config.hiddenSize], 0, 1, "float32", 42);

const cut = (x: tf.Tensor3D, from: number, to: number): tf.Tensor3D =>
  tf.slice3d(x, [0, from, 0], [x.shape[0], to - from, x.shape[2]]);

const anglesAt = (from: number, to: number) =>
  rotaryAngles([Array.from({ length: to - from }, (_, t) => from + t)], rotary);

function difference(a: tf.Tensor, b: tf.Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;
}

describe.each(["cpu", "wasm"])("SoftmaxAttention on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each([
    ["plain", false],
    ["with norms of queries and keys", true],
  ])("gives the same by one pass, by prefill in pieces and token by token, %s", (_, normalised) => {
    const layer = randomLayer(normalised);
    const length = 300; // longer than one segment of the cache
    const x = randomInput(1, length);
    const whole = layer.forward(x, { angles: anglesAt(0, length) });
    const cache = layer.createState();
    const pieces = [layer.prefill(cut(x, 0, 270), cache, { angles: anglesAt(0, 270) })];
    for (let t = 270; t < length; t++) {
      pieces.push(layer.step(cut(x, t, t + 1), cache, { angles: anglesAt(t, t + 1) }));
    }
    expect(difference(tf.concat(pieces, 1), whole)).toBeLessThan(2e-5);
    expect(cache.length).toBe(length);
    expect(cache.keys.length).toBe(2);
  });

  it("normalises queries and keys: their scale does not matter", () => {
    const layer = randomLayer(true);
    const { queryProjection, keyProjection } = layer.parameters;
    const scaled = new SoftmaxAttention(layer.config, {
      ...layer.parameters,
      queryProjection: tf.mul(queryProjection, 3),
      keyProjection: tf.mul(keyProjection, 5),
    });
    const x = randomInput(1, 9);
    const angles = anglesAt(0, 9);
    expect(difference(scaled.forward(x, { angles }), layer.forward(x, { angles }))).toBeLessThan(
      1e-5,
    );
  });

  it("gives a left-padded row what the row gives alone, and keeps that through bytes", () => {
    const layer = randomLayer();
    const x = randomInput(1, 5);
    const padded = tf.concat([tf.onesLike(cut(x, 0, 2)), x], 1) as tf.Tensor3D;
    const mask = tf.tensor2d([[0, 0, 1, 1, 1, 1, 1]]);
    const angles = rotaryAngles([[0, 0, 0, 1, 2, 3, 4]], rotary);
    const [one, other] = [layer.createState(), layer.createState()];
    const alone = layer.prefill(x, one, { angles: anglesAt(0, 5) });
    const together = layer.prefill(padded, other, { angles, mask });
    expect(difference(cut(together, 2, 7), alone)).toBeLessThan(1e-5);
    const restored = KeyValueCache.deserialize(other.serialize(), [1, 2, 7, 6]);
    const next = randomInput(1, 1);
    const step = (cache: KeyValueCache) => layer.step(next, cache, { angles: anglesAt(5, 6) });
    const expected = step(one);
    const copy = other.clone();
    for (const cache of [other, restored, copy]) {
      expect(difference(step(cache), expected)).toBeLessThan(1e-5);
    }
    expect(() => KeyValueCache.deserialize(new Uint8Array(4), [1, 2, 7, 6])).toThrow(
      /expected 672 or 700 bytes .* found 4/,
    );
  });

  it("puts rows of caches together and takes them out again, and frees all memory", () => {
    const layer = randomLayer();
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const after = (length: number): KeyValueCache => {
        const cache = layer.createState();
        layer.prefill(randomInput(1, length), cache, { angles: anglesAt(0, length) });
        return cache;
      };
      const lengths = [3, 300, 7];
      const alone = lengths.map(after);
      const joined = KeyValueCache.ofRows(alone.map((state) => ({ state, rows: [0] })));
      expect(joined.length).toBe(300);
      const next = randomInput(1, 1);
      const three = tf.concat([next, next, next]) as tf.Tensor3D;
      const angles = rotaryAngles(
        lengths.map((length) => [length]),
        rotary,
      );
      const together = layer.step(three, joined, { angles });
      for (const [row, state] of alone.entries()) {
        const single = layer.step(next, state, {
          angles: anglesAt(lengths[row]!, lengths[row]! + 1),
        });
        expect(difference(tf.slice(together, row, 1), single)).toBeLessThan(1e-5);
      }
      // Without the long one its length goes too; alone again, a row has no padding.
      const short = KeyValueCache.ofRows([{ state: joined, rows: [2, 0] }]);
      expect([short.length, short.mask?.arraySync()]).toEqual([
        8,
        [Array(8).fill(1), [0, 0, 0, 0, 1, 1, 1, 1]],
      ]);
      const single = KeyValueCache.ofRows([{ state: short, rows: [1] }]);
      expect([single.length, single.mask]).toEqual([4, undefined]);
      expect(difference(single.keys[0]!, tf.concat(alone[0]!.keys, 2))).toBeLessThan(1e-5);
      for (const cache of [...alone, joined, short, single]) cache.dispose();
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it("keeps padding that callers put anywhere, and rows without a token", () => {
    const layer = randomLayer();
    const cache = layer.createState();
    const mask = tf.tensor2d([
      [0, 1, 1, 0],
      [1, 1, 1, 1],
    ]);
    const angles = rotaryAngles(
      [
        [0, 0, 1, 2],
        [0, 1, 2, 3],
      ],
      rotary,
    );
    layer.prefill(randomInput(2, 4), cache, { angles, mask });
    const two = layer.createState();
    layer.prefill(randomInput(1, 2), two, { angles: anglesAt(0, 2) });
    const joined = KeyValueCache.ofRows([
      { state: two, rows: [0] },
      { state: cache, rows: [1, 0] },
      { state: layer.createState(), rows: [0] },
    ]);
    expect(joined.mask!.arraySync()).toEqual([
      [0, 0, 1, 1],
      [1, 1, 1, 1],
      [0, 1, 1, 0],
      [0, 0, 0, 0],
    ]);
    const bytes = joined.serialize();
    expect(KeyValueCache.deserialize(bytes, [4, 2, 4, 6]).serialize()).toEqual(bytes);
    const empty = layer.createState();
    expect(KeyValueCache.ofRows([{ state: empty, rows: [0, 0] }]).length).toBe(0);
  });
});

describe("SoftmaxAttentionLayer inside a tfjs model", () => {
  beforeAll(() => selectBackend("cpu"));

  it("is saved and loaded by model.save", async () => {
    const model = sequential({
      layers: [
        layers.dense({ units: 8, inputShape: [5, 3] }),
        new SoftmaxAttentionLayer({ numHeads: 2, numKeyValueHeads: 1, headDim: 4 }),
      ],
    });
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler((artifacts) => {
        saved = artifacts;
        const modelArtifactsInfo = { dateSaved: new Date(), modelTopologyType: "JSON" as const };
        return Promise.resolve({ modelArtifactsInfo });
      }),
    );
    const loaded = await loadLayersModel(tf.io.fromMemory(saved!));
    const x = tf.randomNormal([2, 5, 3]);
    const [before, after] = [model.predict(x), loaded.predict(x)] as [tf.Tensor, tf.Tensor];
    expect(after.arraySync()).toEqual(before.arraySync());
  });
});
