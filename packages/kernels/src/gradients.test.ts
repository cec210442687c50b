import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  embedding,
  expertMixture,
  linear,
  mergeHeads,
  rmsNorm,
  rotaryAngles,
  rotaryEmbedding,
  routeByGroups,
  routeTopExperts,
  scaledResidual,
  sigmoidGate,
  silu,
  softmaxAttention,
  softmaxCrossEntropy,
  splitHeads,
  type Expert,
} from "./index.ts";
import { selectBackend } from "./node.ts";
import { gradientError, maxDifference, weightedSum } from "./testing/finite-differences.ts";

const normal = (shape: number[], seed: number): tf.Tensor =>
  tf.randomNormal(shape, 0, 1, "float32", seed);

describe.each(["cpu", "wasm"])("gradients on %s agree with finite differences", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("rmsNorm", () => {
    const error = gradientError(
      (x, w) => weightedSum(rmsNorm(x, w, 1e-5)),
      [normal([2, 3, 5], 1), normal([5], 2)],
    );
    expect(error).toBeLessThan(2e-3);
  });

  it("silu, sigmoidGate and scaledResidual", () => {
    const error = gradientError(
      (x, gate, branch) =>
        weightedSum(scaledResidual(sigmoidGate(silu(x), gate), 1.5, branch, 0.5)),
      [normal([3, 5], 1), normal([3, 5], 2), normal([3, 5], 3)],
    );
    expect(error).toBeLessThan(2e-3);
  });

  it("splitHeads and mergeHeads", () => {
    const error = gradientError(
      (x) => {
        const [a, b] = splitHeads(x as tf.Tensor3D, 2, 2) as [tf.Tensor4D, tf.Tensor4D];
        return weightedSum(mergeHeads(tf.mul(a, tf.square(b))));
      },
      [normal([2, 3, 12], 1)],
    );
    expect(error).toBeLessThan(2e-3);
  });

  it("softmaxCrossEntropy, with a row that does not count", () => {
    const targets = tf.tensor1d([2, -1, 0, 4], "int32");
    const error = gradientError(
      (logits) => weightedSum(softmaxCrossEntropy(logits as tf.Tensor2D, targets)),
      [normal([4, 5], 1)],
    );
    expect(error).toBeLessThan(2e-3);
  });

  it("linear", () => {
    const error = gradientError(
      (x, w) => weightedSum(linear(x, w)),
      [normal([2, 3, 4], 1), normal([5, 4], 2)],
    );
    expect(error).toBeLessThan(2e-3);
  });

  it("embedding, with repeated ids", () => {
    const ids = tf.tensor2d([0, 2, 2, 1], [2, 2], "int32");
    const error = gradientError((table) => weightedSum(embedding(ids, table)), [normal([4, 3], 1)]);
    expect(error).toBeLessThan(2e-3);
  });

  it("rotaryEmbedding, partial", () => {
    const angles = rotaryAngles([[0, 1, 2]], { rotaryDim: 4, base: 100 });
    const error = gradientError(
      (x) => weightedSum(rotaryEmbedding(x as tf.Tensor4D, angles)),
      [normal([2, 2, 3, 6], 1)],
    );
    expect(error).toBeLessThan(2e-3);
  });

  it("softmaxAttention, with grouped queries, segments and padding", () => {
    const mask = tf.tensor2d([0, 1, 1, 1, 1, 1, 1, 1, 1, 1], [2, 5]);
    const error = gradientError(
      (q, k0, v0, k1, v1) =>
        weightedSum(
          softmaxAttention({
            queries: q as tf.Tensor4D,
            keys: [k0, k1] as tf.Tensor4D[],
            values: [v0, v1] as tf.Tensor4D[],
            mask,
          }),
        ),
      [
        normal([2, 4, 3, 3], 1),
        normal([2, 2, 3, 3], 2),
        normal([2, 2, 3, 3], 3),
        normal([2, 2, 2, 3], 4),
        normal([2, 2, 2, 3], 5),
      ],
    );
    expect(error).toBeLessThan(2e-3);
  });

  it("routeByGroups, which gives its bias none", () => {
    const routing = { groups: 2, groupsPerToken: 1, scale: 2.5 };
    const bias = tf.tensor1d([0, 0.1, 0.2, 0, 0.3, 0]);
    // Far apart, so that a small step never changes the choice.
    const logits = tf.tensor2d([0, 1, 2, -1, -2, -3, 3, -2, 0, 2, 1, 4], [2, 6]);
    const weights = (x: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      routeByGroups(x as tf.Tensor2D, b, 2, routing).weights;
    expect(gradientError((x) => weightedSum(weights(x, bias)), [logits])).toBeLessThan(2e-3);
    const [, ofBias] = tf.grads((x, b) => tf.sum(tf.square(weights(x!, b!))))([logits, bias]);
    expect(ofBias!.arraySync()).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("routeTopExperts and expertMixture", () => {
    const sizes = { tokens: 5, hidden: 4, intermediate: 3, experts: 4 };
    const experts = Array.from({ length: sizes.experts }, (_, e) => [
      normal([sizes.intermediate, sizes.hidden], 10 + e),
      normal([sizes.intermediate, sizes.hidden], 20 + e),
      normal([sizes.hidden, sizes.intermediate], 30 + e),
    ]);
    // Logits far apart, so that a small step never changes the choice.
    const logits = tf.tensor2d(
      [0, 1, 2, 3, 3, 0, 1, 2, 2, 3, 0, 1, 1, 0, 3, 2, 3, 2, 1, 0],
      [sizes.tokens, sizes.experts],
    );
    const error = gradientError(
      (x, l, ...flat) =>
        weightedSum(
          expertMixture(
            x as tf.Tensor2D,
            routeTopExperts(l as tf.Tensor2D, 2),
            experts.map((_, e): Expert => {
              const [gate, up, down] = flat.slice(3 * e, 3 * e + 3) as [
                tf.Tensor,
                tf.Tensor,
                tf.Tensor,
              ];
              return { gate, up, down };
            }),
          ),
        ),
      [normal([sizes.tokens, sizes.hidden], 1), logits, ...experts.flat()],
    );
    expect(error).toBeLessThan(3e-3);
  });
});

describe.each(["cpu", "wasm"])("kernels on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("softmaxAttention in segments equals one segment and plain loops", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 }),
        fc.integer({ min: 1, max: 2 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 1 }),
        (batch, kvHeads, groupSize, length, past, seed) =>
          tf.tidy(() => {
            const total = length + past;
            const q = normal([batch, kvHeads * groupSize, length, 4], seed) as tf.Tensor4D;
            const k = normal([batch, kvHeads, total, 4], seed + 1) as tf.Tensor4D;
            const v = normal([batch, kvHeads, total, 4], seed + 2) as tf.Tensor4D;
            const whole = softmaxAttention({ queries: q, keys: [k], values: [v] });
            if (past > 0) {
              const cut = (x: tf.Tensor4D) => tf.split(x, [past, length], 2) as tf.Tensor4D[];
              const parts = softmaxAttention({ queries: q, keys: cut(k), values: cut(v) });
              expect(maxDifference(parts, whole)).toBeLessThan(1e-5);
            }
            const [qs, ks, vs, os] = [q, k, v, whole].map((x) => x.arraySync()) as [
              number[][][][],
              number[][][][],
              number[][][][],
              number[][][][],
            ];
            qs.forEach((heads, b) =>
              heads.forEach((rows, h) =>
                rows.forEach((query, t) => {
                  const group = Math.floor(h / groupSize);
                  const visible = ks[b]![group]!.slice(0, past + t + 1);
                  const scores = visible.map((key) =>
                    Math.exp(key.reduce((sum, x, i) => sum + x * query[i]!, 0) / 2),
                  );
                  const norm = scores.reduce((a, c) => a + c, 0);
                  os[b]![h]![t]!.forEach((found, i) => {
                    const expected = scores.reduce(
                      (sum, score, s) => sum + (score / norm) * vs[b]![group]![s]![i]!,
                      0,
                    );
                    expect(Math.abs(found - expected)).toBeLessThan(1e-4);
                  });
                }),
              ),
            );
          }),
      ),
      { numRuns: 30 },
    );
  });

  it("leave no tensor behind but their results", () => {
    const x = normal([3, 4], 1) as tf.Tensor2D;
    const w = normal([4], 2);
    rmsNorm(x, w, 1e-5).dispose();
    const before = tf.memory().numTensors;
    rmsNorm(x, w, 1e-5).dispose();
    const { experts, weights } = routeTopExperts(x, 2);
    tf.dispose([experts, weights]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("name what does not fit", () => {
    expect(() => linear(tf.zeros([2, 3]), tf.zeros([4, 5]))).toThrow(
      /linear: expected weight \[4,3\], found float32 \[4,5\]/,
    );
    expect(() => rmsNorm(tf.zeros([2, 3]), tf.zeros([4]), 1e-5)).toThrow(/expected weight \[3\]/);
    expect(() => routeTopExperts(tf.zeros([2, 3]), 4)).toThrow(/expected k in 1..3, found 4/);
  });
});
