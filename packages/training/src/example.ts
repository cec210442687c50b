import { ignoredLabel } from "@levin/model";
import { planBatches } from "./length-batches.ts";

/** One training text: token ids, and 1 for each token that is to be learned (the answer). */
export interface Example {
  ids: number[];
  /** As long as `ids`; prompts are 0, answers 1. */
  learned: number[];
}

/** Rows of equal length, padded on the right. */
export interface TrainingBatch {
  ids: number[][];
  /** 1 = real token. */
  mask: number[][];
  /** Token ids, −100 where nothing is to be learned. */
  labels: number[][];
  /** Labels that count. */
  targets: number;
  /** Real tokens. */
  tokens: number;
}

/** Raised when an example is not one. */
export class ExampleError extends Error {
  override readonly name = "ExampleError";
}

/**
 * Sorts examples by length and cuts them into batches of at most `maxTokens` padded tokens, so that
 * little is padding. A causal model never looks right, so right padding needs no care in attention.
 *
 * @throws ExampleError when an example is empty or its `learned` does not fit
 */
export function batchExamples(examples: readonly Example[], maxTokens: number): TrainingBatch[] {
  return likeLengths(examples, maxTokens).map(padExamples);
}

/** The rows of each batch; throws ExampleError. */
export function likeLengths<Row extends Example>(
  examples: readonly Row[],
  maxTokens: number,
): Row[][] {
  for (const example of examples) checkExample(example);
  const sorted = examples.toSorted((a, b) => b.ids.length - a.ids.length);
  let start = 0;
  return planBatches(
    sorted.map(({ ids }) => ids.length),
    maxTokens,
  ).map((rows) => sorted.slice(start, (start += rows)));
}

function checkExample({ ids, learned }: Example): void {
  if (ids.length === 0 || learned.length !== ids.length) {
    throw new ExampleError(
      `example: expected at least one id and as many marks, found ${ids.length} ids and ${learned.length} marks`,
    );
  }
}

/** One batch of rows, padded to the longest of them. */
export function padExamples(examples: readonly Example[]): TrainingBatch {
  const length = Math.max(...examples.map(({ ids }) => ids.length));
  const fill = (row: number[], value: number): number[] => padRight(row, length, value);
  const labels = examples.map(({ ids, learned }) =>
    fill(
      ids.map((id, t) => (learned[t] === 1 ? id : ignoredLabel)),
      ignoredLabel,
    ),
  );
  return {
    ids: examples.map(({ ids }) => fill(ids, 0)),
    mask: examples.map(({ ids }) =>
      fill(
        ids.map(() => 1),
        0,
      ),
    ),
    labels,
    // The first token has no predecessor that could predict it.
    targets: labels.flatMap((row) => row.slice(1)).filter((label) => label !== ignoredLabel).length,
    tokens: examples.reduce((sum, { ids }) => sum + ids.length, 0),
  };
}

/** The row with `value` behind it up to `length`. */
export function padRight(row: readonly number[], length: number, value: number): number[] {
  return [...row, ...Array<number>(length - row.length).fill(value)];
}
