import { describe, expect, it } from "vitest";
import golden from "./__fixtures__/golden.json" with { type: "json" };
import { overlapExactMatch, overlapF1 } from "./answer-overlap.ts";
import { accuracy, f1, macroF1, matthews } from "./classification.ts";
import { pearson, spearman } from "./correlation.ts";
import { answerF1, questionExactMatch } from "./grouped-answers.ts";

/** Holds a value against scikit-learn's or scipy's; null stands for NaN. */
function expectSame(found: number, expected: number | null): void {
  if (expected === null) expect(found).toBeNaN();
  else expect(found).toBeCloseTo(expected, 12);
}

describe("metrics give what scikit-learn and scipy give", () => {
  it.each(golden.classification)(
    "classification: $name",
    ({ labels, predictions, ...expected }) => {
      expectSame(accuracy(labels, predictions), expected.accuracy);
      expectSame(f1(labels, predictions), expected.f1);
      expectSame(macroF1(labels, predictions), expected.macroF1);
      expectSame(matthews(labels, predictions), expected.matthews);
    },
  );

  it.each(golden.correlation)("correlation: $name", ({ scores, predictions, ...expected }) => {
    expectSame(pearson(scores, predictions), expected.pearson);
    expectSame(spearman(scores, predictions), expected.spearman);
  });

  it.each(golden.multirc)("MultiRC: $name", ({ answers, ...expected }) => {
    expectSame(answerF1(answers), expected.f1a);
    expectSame(questionExactMatch(answers), expected.exactMatch);
  });

  it.each(golden.overlap)("ReCoRD: $name", ({ answers, prediction, ...expected }) => {
    expectSame(overlapF1([{ answers, prediction }]), expected.f1);
    expectSame(overlapExactMatch([{ answers, prediction }]), expected.exactMatch);
  });
});
