import { MetricError } from "./metric-error.ts";

/** ReCoRD's right answers to a query, several spellings of one entity, and what was answered. */
export interface AnsweredQuery {
  answers: readonly string[];
  prediction: string;
}

/** Python's string.punctuation. */
const punctuation = /[!-/:-@[-`{-~]/g;
/** Where Python, whose words are of any script, sees an article. */
const article = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;
/** What Python's str.split() parts at. */
const whitespace =
  // oxlint-disable-next-line no-control-regex -- Python counts these separators as whitespace
  /[\t-\r\u001c- \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

/** Words of an answer as the official scripts of SQuAD and ReCoRD compare them. */
export function answerWords(text: string): string[] {
  return text
    .toLowerCase()
    .replace(punctuation, "")
    .replace(article, " ")
    .split(whitespace)
    .filter((word) => word !== "");
}

/** ReCoRD's F1: overlap of words with the best of the right answers, mean over queries. */
export function overlapF1(queries: readonly AnsweredQuery[]): number {
  return meanOfBest("answer F1", queries, wordF1);
}

/** ReCoRD's EM: share of queries answered with one of the right answers, word for word. */
export function overlapExactMatch(queries: readonly AnsweredQuery[]): number {
  return meanOfBest("exact match", queries, (one, other) =>
    Number(answerWords(one).join(" ") === answerWords(other).join(" ")),
  );
}

function meanOfBest(
  metric: string,
  queries: readonly AnsweredQuery[],
  score: (prediction: string, answer: string) => number,
): number {
  if (queries.length === 0 || queries.some(({ answers }) => answers.length === 0)) {
    throw new MetricError(
      `${metric}: expected at least one right answer to each of at least one query, ` +
        `found ${queries.length} queries, ${queries.filter(({ answers }) => answers.length === 0).length} without any`,
    );
  }
  const best = queries.map(({ answers, prediction }) =>
    Math.max(...answers.map((answer) => score(prediction, answer))),
  );
  return best.reduce((sum, value) => sum + value, 0) / best.length;
}

function wordF1(prediction: string, answer: string): number {
  const [found, expected] = [answerWords(prediction), answerWords(answer)];
  const left = new Map<string, number>();
  for (const word of expected) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of found) {
    const times = left.get(word) ?? 0;
    if (times === 0) continue;
    shared += 1;
    left.set(word, times - 1);
  }
  // The official script gives 0 here even when both are empty.
  return shared === 0 ? 0 : (2 * shared) / (found.length + expected.length);
}
