import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { likeliest, logitBias, occurrencePenalty, softmax, topK, topP } from "./logit-filters.ts";

/** Few different values, so that many are equal; some far apart, some hidden. */
const logit = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.float({ noNaN: true, min: -60, max: 60 }),
  fc.constant(-Infinity),
);
const anyLogits = fc
  .array(logit, { minLength: 1, maxLength: 200 })
  .map((values) => Float32Array.from(values))
  .filter((values) => values.some(Number.isFinite));

/** Ids by falling logit, lower ones first among equals: what the filters must agree with. */
function sorted(logits: Float32Array): number[] {
  return [...logits.keys()].sort((a, b) =>
    logits[a] === logits[b] ? a - b : logits[b]! > logits[a]! ? 1 : -1,
  );
}

function kept(logits: Float32Array): number[] {
  return [...logits.keys()].filter((id) => logits[id]! > -Infinity);
}

describe("filters of logits", () => {
  it("find the likeliest as sorting all does", () => {
    fc.assert(
      fc.property(anyLogits, fc.integer({ min: 0, max: 210 }), (logits, count) => {
        expect(likeliest(logits, count)).toEqual(sorted(logits).slice(0, count));
      }),
    );
  });

  it("keep the k likeliest and nothing else", () => {
    fc.assert(
      fc.property(anyLogits, fc.integer({ min: 1, max: 210 }), (logits, k) => {
        const filtered = logits.slice();
        topK(k)(filtered, new Set(), new Map());
        const expected = new Set(sorted(logits).slice(0, k));
        filtered.forEach((value, id) =>
          expect(value).toBe(expected.has(id) ? logits[id] : -Infinity),
        );
      }),
    );
  });

  it("take from what was said, once and for each time, and add a bias", () => {
    const logits = Float32Array.of(1, 2, 3, 4);
    occurrencePenalty(0.5, 0.25)(
      logits,
      new Set([0, 1, 2]),
      new Map([
        [1, 1],
        [3, 4],
      ]),
    );
    expect([...logits]).toEqual([1, 1.25, 3, 2.5]);
    logitBias({ 0: 100, 2: -1, 99: 5 })(logits, new Set(), new Map());
    expect([...logits]).toEqual([101, 1.25, 2, 2.5]);
  });

  it("keep the fewest that reach a probability", () => {
    fc.assert(
      fc.property(anyLogits, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (logits, p) => {
        const filtered = logits.slice();
        topP(p)(filtered, new Set(), new Map());
        const order = sorted(logits);
        const probabilities = softmax(logits);
        let mass = 0;
        const count = order.findIndex((id) => (mass += probabilities[id]!) >= p) + 1;
        expect(kept(filtered)).toEqual(
          order
            .slice(0, count || order.length)
            .filter((id) => logits[id]! > -Infinity)
            .sort((a, b) => a - b),
        );
      }),
    );
  });
});
