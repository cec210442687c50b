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

const ignored = -100;

/**
 * Sorts examples by length and cuts them into batches of at most `maxTokens` padded tokens, so that
 * little is padding. A causal model never looks right, so right padding needs no care in attention.
 */
export function batchExamples(examples: readonly Example[], maxTokens: number): TrainingBatch[] {
  const sorted = examples.toSorted((a, b) => b.ids.length - a.ids.length);
  const batches: TrainingBatch[] = [];
  for (let start = 0; start < sorted.length; ) {
    const length = sorted[start]!.ids.length;
    const rows = Math.max(1, Math.floor(maxTokens / length));
    batches.push(padded(sorted.slice(start, start + rows), length));
    start += rows;
  }
  return batches;
}

function padded(examples: readonly Example[], length: number): TrainingBatch {
  const fill = (row: number[], value: number): number[] => [
    ...row,
    ...Array<number>(length - row.length).fill(value),
  ];
  const labels = examples.map(({ ids, learned }) =>
    fill(
      ids.map((id, t) => (learned[t] === 1 ? id : ignored)),
      ignored,
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
    targets: labels.flatMap((row) => row.slice(1)).filter((label) => label !== ignored).length,
    tokens: examples.reduce((sum, { ids }) => sum + ids.length, 0),
  };
}
