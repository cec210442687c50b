import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerWords, overlapExactMatch, overlapF1 } from "./answer-overlap.ts";
import { accuracy, f1, macroF1, matthews } from "./classification.ts";
import { pearson, spearman } from "./correlation.ts";
import { answerF1, genderParity, questionExactMatch } from "./grouped-answers.ts";
import { MetricError } from "./metric-error.ts";

const pairs = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 60 });
const split = <A, B>(of: readonly (readonly [A, B])[]): [A[], B[]] => [
  of.map(([a]) => a),
  of.map(([, b]) => b),
];
const scores = fc.array(
  fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })),
  { minLength: 2, maxLength: 40 },
);

describe("classification metrics", () => {
  it("do not depend on the order of examples", () => {
    fc.assert(
      fc.property(pairs, (some) => {
        const [before, after] = [split(some), split(some.toReversed())];
        for (const metric of [accuracy, f1, macroF1, matthews]) {
          expect(metric(...before)).toBeCloseTo(metric(...after), 12);
        }
      }),
    );
  });

  it("stay in their bounds, and are 1 when all is right and more than one class is there", () => {
    fc.assert(
      fc.property(pairs, (some) => {
        const [labels, predictions] = split(some);
        for (const metric of [accuracy, f1, macroF1]) {
          const value = metric(labels, predictions);
          expect(value >= 0 && value <= 1).toBe(true);
        }
        expect(Math.abs(matthews(labels, predictions))).toBeLessThanOrEqual(1 + 1e-12);
        expect(accuracy(labels, labels)).toBe(1);
        expect(macroF1(labels, labels)).toBe(1);
        expect(matthews(labels, labels)).toBeCloseTo(new Set(labels).size > 1 ? 1 : 0, 12);
      }),
    );
  });

  it("macro F1 counts a reply without an answer as wrong, not as a class of its own", () => {
    // F1 of the classes: 2/3 (one of two found, none beside), 1, 1.
    expect(macroF1([0, 0, 1, 2], [0, -1, 1, 2])).toBeCloseTo((2 / 3 + 1 + 1) / 3, 12);
    expect(macroF1([0, 1], [-1, -1])).toBe(0);
  });

  it("Matthews' correlation changes its sign with the predictions of two classes", () => {
    const binary = fc.array(fc.tuple(fc.nat(1), fc.nat(1)), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(binary, (some) => {
        const [labels, predictions] = split(some);
        const flipped = predictions.map((each) => 1 - each);
        expect(matthews(labels, flipped)).toBeCloseTo(-matthews(labels, predictions), 12);
      }),
    );
  });
});

describe("correlations", () => {
  it("are symmetric, within ±1, and know no scale and no offset", () => {
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 9 }), (some, scale) => {
        const [a, b] = split(some);
        for (const metric of [pearson, spearman]) {
          const value = metric(a, b);
          if (Number.isNaN(value)) {
            expect(new Set(a).size === 1 || new Set(b).size === 1).toBe(true);
            continue;
          }
          expect(Math.abs(value)).toBeLessThanOrEqual(1);
          expect(metric(b, a)).toBeCloseTo(value, 10);
          expect(
            metric(
              a.map((each) => scale * each - 3),
              b,
            ),
          ).toBeCloseTo(value, 10);
        }
      }),
    );
  });

  it("take as many scores as there may be", () => {
    const many = Array.from({ length: 200_000 }, (_, i) => i);
    expect(pearson(many, many)).toBeCloseTo(1, 12);
    expect(spearman(many, many.toReversed())).toBeCloseTo(-1, 12);
  });

  it("Spearman's sees the order alone", () => {
    fc.assert(
      fc.property(scores, (some) => {
        const [a, b] = split(some);
        const before = spearman(a, b);
        const after = spearman(
          a.map((each) => each ** 3),
          b,
        );
        if (Number.isNaN(before)) expect(after).toBeNaN();
        else expect(after).toBeCloseTo(before, 12);
      }),
    );
  });
});

describe("answers in groups", () => {
  const answers = fc.array(
    fc.record({
      group: fc.constantFrom("0-0", "0-1", "1-0"),
      label: fc.nat(1),
      prediction: fc.nat(1),
    }),
    { minLength: 1, maxLength: 30 },
  );

  it("a question is never easier than its answers one by one", () => {
    fc.assert(
      fc.property(answers, (some) => {
        const exact = questionExactMatch(some);
        const wrong = some.filter(({ label, prediction }) => label !== prediction);
        const hit = new Set(wrong.map(({ group }) => group)).size;
        const all = new Set(some.map(({ group }) => group)).size;
        expect(exact).toBeCloseTo((all - hit) / all, 12);
        if (wrong.length === 0 && some.some(({ label }) => label === 1)) {
          expect(answerF1(some)).toBe(1);
        }
      }),
    );
  });

  it("gender parity counts pairs that are answered alike, right or wrong", () => {
    const pair = (group: string, one: number, other: number) => [
      { group, prediction: one },
      { group, prediction: other },
    ];
    expect(genderParity([...pair("1", 0, 0), ...pair("2", 1, 1), ...pair("3", 0, 1)])).toBe(2 / 3);
    expect(() => genderParity([{ group: "7", prediction: 1 }])).toThrow(
      "gender parity: expected two sentences of pair 7, found 1",
    );
  });
});

describe("overlap of answers", () => {
  const words = fc
    .array(fc.constantFrom("New", "york", "the", "city", "U.S."), { maxLength: 6 })
    .map((each) => each.join(" "));

  it("is symmetric, and full for the same words only", () => {
    fc.assert(
      fc.property(words, words, (one, other) => {
        const value = overlapF1([{ answers: [one], prediction: other }]);
        expect(overlapF1([{ answers: [other], prediction: one }])).toBeCloseTo(value, 12);
        const same = answerWords(one).toSorted().join() === answerWords(other).toSorted().join();
        expect(value === 1).toBe(same && answerWords(one).length > 0);
      }),
    );
  });

  it("takes the best of the right answers, and the mean over queries", () => {
    const queries = [
      { answers: ["Rome", "the city of Rome"], prediction: "Rome" },
      { answers: ["Paris"], prediction: "Lyon" },
    ];
    expect([overlapF1(queries), overlapExactMatch(queries)]).toEqual([0.5, 0.5]);
  });
});

describe("what can't be measured", () => {
  it.each([
    ["accuracy", () => accuracy([], [])],
    ["F1", () => f1([1], [])],
    ["macro F1", () => macroF1([], [])],
    ["Matthews' correlation", () => matthews([1, 0], [1])],
    ["Pearson's correlation", () => pearson([], [])],
    ["Spearman's correlation", () => spearman([1], [])],
    ["F1", () => answerF1([])],
    ["exact match by question", () => questionExactMatch([])],
    ["gender parity", () => genderParity([])],
    ["answer F1", () => overlapF1([{ answers: [], prediction: "x" }])],
    ["exact match", () => overlapExactMatch([])],
  ])("%s says what it expected and found", (name, measure) => {
    expect(measure).toThrow(MetricError);
    expect(measure).toThrow(new RegExp(`^${name}: expected .*, found `));
  });
});
