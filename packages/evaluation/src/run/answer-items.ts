import type { Answerer } from "../answering/answerer.ts";
import type { Item } from "../data/item.ts";
import type { SubmittedPrediction } from "../suites/benchmark-task.ts";
import type { PredictionLog } from "./prediction-log.ts";

/**
 * Answers the items that a log has no prediction of yet. A kill loses no more than what is being
 * answered; after an abort the log has what was finished.
 *
 * @returns all predictions in the items' order, or undefined after an abort
 */
export async function answerItems(
  items: readonly Item[],
  answerer: Answerer,
  log: PredictionLog,
  { onProgress, signal }: { onProgress?: (done: number) => void; signal?: AbortSignal } = {},
): Promise<SubmittedPrediction[] | undefined> {
  const left = items.filter(({ id }) => !log.done.has(id));
  onProgress?.(items.length - left.length);
  for (let i = 0; i < left.length; i += answerer.together) {
    if (signal?.aborted) return undefined;
    await log.add(await answerer.answer(left.slice(i, i + answerer.together)));
    onProgress?.(items.length - left.length + Math.min(i + answerer.together, left.length));
    // Lets signals run between items.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return items.map(({ id }) => log.done.get(id)!);
}
