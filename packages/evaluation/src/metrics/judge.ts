import { overlapExactMatch, overlapF1 } from "./answer-overlap.ts";
import { accuracy, f1, macroF1, matthews } from "./classification.ts";
import { pearson, spearman } from "./correlation.ts";
import { answerF1, genderParity, questionExactMatch } from "./grouped-answers.ts";

/** An item's truth beside what was predicted. */
export interface Judged {
  label: number;
  /** Number of the class or choice, or a score. */
  value: number;
  /** The answered text, where there is one. */
  text: string;
  answers: readonly string[];
  group: string;
}

const byLabel =
  (metric: (labels: readonly number[], values: readonly number[]) => number) =>
  (judged: readonly Judged[]): number =>
    metric(
      judged.map(({ label }) => label),
      judged.map(({ value }) => value),
    );
const byGroup =
  (metric: (answers: readonly { group: string; label: number; prediction: number }[]) => number) =>
  (judged: readonly Judged[]): number =>
    metric(judged.map(({ group, label, value }) => ({ group, label, prediction: value })));
const byText =
  (metric: (queries: readonly { answers: readonly string[]; prediction: string }[]) => number) =>
  (judged: readonly Judged[]): number =>
    metric(judged.map(({ answers, text }) => ({ answers, prediction: text })));

/** All metrics of the benchmarks, by name. */
export const metrics = {
  accuracy: byLabel(accuracy),
  F1: byLabel(f1),
  "macro F1": byLabel(macroF1),
  Matthews: byLabel(matthews),
  Pearson: byLabel(pearson),
  Spearman: byLabel(spearman),
  F1a: byGroup(answerF1),
  "EM by question": byGroup(questionExactMatch),
  "gender parity": byGroup(genderParity),
  "answer F1": byText(overlapF1),
  EM: byText(overlapExactMatch),
} satisfies Record<string, (judged: readonly Judged[]) => number>;

/** Name of one of {@link metrics}. */
export type MetricName = keyof typeof metrics;
