import type { Answerer } from "../answering/answerer.ts";
import type { Identified, PredictionLog } from "./prediction-log.ts";

/** What answers the batches of a task, wherever and in whatever order. */
export interface BatchAnswerer<Asked, Prediction> {
  /** Items of a batch. */
  readonly together: number;
  /** Predictions as they are made, of one batch or of several at once; fewer after an abort. */
  answerAll(batches: readonly (readonly Asked[])[]): AsyncIterable<readonly Prediction[]>;
}

/**
 * Answers the items that a log has no prediction of yet. A kill loses no more than what is being
 * answered; after an abort the log has what was finished. Batches are the same however often a run
 * was stopped and whoever answers them, so that company changes no prediction.
 *
 * @returns all predictions in the items' order, or undefined after an abort
 */
export async function answerItems<Asked extends Identified, Prediction extends Identified>(
  items: readonly Asked[],
  answerer: Answerer<Asked, Prediction> | BatchAnswerer<Asked, Prediction>,
  log: PredictionLog<Prediction>,
  { onProgress, signal }: { onProgress?: (done: number) => void; signal?: AbortSignal } = {},
): Promise<Prediction[] | undefined> {
  const isLeft = ({ id }: Identified): boolean => !log.done.has(id);
  let done = items.filter((item) => !isLeft(item)).length;
  onProgress?.(done);
  const left = batchesOf(items, answerer.together).filter((batch) => batch.some(isLeft));
  if (left.length > 0 && !signal?.aborted) {
    const answers = "answerAll" in answerer ? answerer.answerAll(left) : inTurn(answerer, left);
    for await (const predictions of answers) {
      const fresh = predictions.filter(isLeft);
      await log.add(fresh);
      done += fresh.length;
      onProgress?.(done);
      if (signal?.aborted) break;
    }
  }
  return done < items.length ? undefined : items.map(({ id }) => log.done.get(id)!);
}

async function* inTurn<Asked, Prediction>(
  answerer: Answerer<Asked, Prediction>,
  batches: readonly (readonly Asked[])[],
): AsyncGenerator<Prediction[], void> {
  for (const batch of batches) {
    yield await answerer.answer(batch);
    // Lets signals run between batches.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function batchesOf<Asked>(items: readonly Asked[], size: number): Asked[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}
