import { MetricError, expectPairs } from "./metric-error.ts";
import { f1, type ClassIndex } from "./classification.ts";

/** An answer of a MultiRC question that is right (1) or not (0), and what was said of it. */
export interface JudgedAnswer {
  /** What the answer belongs to: a question, or a pair of Winogender. */
  group: string;
  label: ClassIndex;
  prediction: ClassIndex;
}

/** MultiRC's F1a: F1 of the right answers of all questions together. Throws MetricError for none. */
export function answerF1(answers: readonly JudgedAnswer[]): number {
  return f1(
    answers.map(({ label }) => label),
    answers.map(({ prediction }) => prediction),
  );
}

/** MultiRC's EM: share of questions of which every answer is judged right. Throws MetricError for none. */
export function questionExactMatch(answers: readonly JudgedAnswer[]): number {
  const questions = grouped("exact match by question", answers);
  const right = questions.filter((question) =>
    question.every(({ label, prediction }) => label === prediction),
  );
  return right.length / questions.length;
}

/**
 * Winogender's gender parity: share of pairs, which differ in a pronoun's gender alone, that are
 * answered alike. Throws MetricError when there is none, or a group is not a pair.
 */
export function genderParity(answers: readonly Omit<JudgedAnswer, "label">[]): number {
  const pairs = grouped("gender parity", answers);
  const odd = pairs.find((pair) => pair.length !== 2);
  if (odd) {
    throw new MetricError(
      `gender parity: expected two sentences of pair ${odd[0]!.group}, found ${odd.length}`,
    );
  }
  return (
    pairs.filter(([one, other]) => one!.prediction === other!.prediction).length / pairs.length
  );
}

function grouped<Answer extends { group: string }>(
  metric: string,
  answers: readonly Answer[],
): Answer[][] {
  expectPairs(metric, answers, answers);
  const groups = new Map<string, Answer[]>();
  for (const answer of answers) {
    const members = groups.get(answer.group);
    if (members) members.push(answer);
    else groups.set(answer.group, [answer]);
  }
  return [...groups.values()];
}
