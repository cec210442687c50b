import * as tf from "@tensorflow/tfjs-core";

/** Tokens of a batch, `[batch][length]`; `mask` 1 = real token, 0 = padding (on the left). */
export interface TokenBatch {
  ids: readonly (readonly number[])[];
  mask?: readonly (readonly number[])[] | undefined;
}

/** Raised when a token batch is ragged, empty, or has ids outside the vocabulary. */
export class TokenBatchError extends Error {
  override readonly name = "TokenBatchError";
}

/** A checked batch as tensors. */
export interface TokenTensors {
  /** `[batch, length]` int32 */
  ids: tf.Tensor2D;
  /** `[batch, length]`; undefined when every token is real. */
  mask: tf.Tensor2D | undefined;
  /** Position of each token in its row: real tokens before it, added to `start`. */
  positions: number[][];
  /** Real tokens in each row. */
  counts: number[];
}

/**
 * Checks a batch of `rows` sequences.
 *
 * @returns real tokens in each row
 * @throws TokenBatchError naming what was expected and found
 */
export function countTokens({ ids, mask }: TokenBatch, vocabSize: number, rows: number): number[] {
  const length = ids[0]?.length ?? 0;
  const ragged = (lists: readonly (readonly number[])[]): boolean =>
    lists.length !== ids.length || lists.some((list) => list.length !== length);
  if (length === 0 || ids.length !== rows || ragged(ids) || (mask && ragged(mask))) {
    throw new TokenBatchError(
      `token batch: expected ${rows} rows of equal length ≥ 1, found lengths ` +
        `[${ids.map((row) => row.length)}], mask lengths [${mask?.map((row) => row.length) ?? ""}]`,
    );
  }
  checkTokenIds(ids.flat(), vocabSize);
  return ids.map((row, b) => (mask ? mask[b]!.reduce((sum, real) => sum + real, 0) : row.length));
}

/**
 * Checks a batch and makes tensors of it.
 *
 * @param start position of the first token of each row
 * @throws TokenBatchError naming what was expected and found
 */
export function tokenTensors(
  tokens: TokenBatch,
  vocabSize: number,
  start: readonly number[] = tokens.ids.map(() => 0),
): TokenTensors {
  const { ids, mask } = tokens;
  const counts = countTokens(tokens, vocabSize, start.length);
  const length = ids[0]!.length;
  const padded = mask?.some((row) => row.includes(0)) ?? false;
  return {
    ids: tf.tensor2d(ids.flat(), [ids.length, length], "int32"),
    mask: padded ? tf.tensor2d(mask!.flat(), [ids.length, length]) : undefined,
    positions: ids.map((row, b) => rowPositions(row.length, start[b]!, mask?.[b])),
    counts,
  };
}

/** Throws TokenBatchError for an id outside the vocabulary. */
export function checkTokenIds(ids: readonly number[], vocabSize: number): void {
  for (const id of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw new TokenBatchError(`token batch: expected ids in 0..${vocabSize - 1}, found ${id}`);
    }
  }
}

function rowPositions(length: number, start: number, mask?: readonly number[]): number[] {
  let next = start;
  return Array.from({ length }, (_, t) => (mask?.[t] === 0 ? next : next++));
}
