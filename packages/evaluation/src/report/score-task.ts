import type { Item } from "../data/item.ts";
import { MetricError } from "../metrics/metric-error.ts";
import { metrics, type MetricName } from "../metrics/judge.ts";
import type { BenchmarkTask, SubmittedPrediction } from "../suites/benchmark-task.ts";

/** A task's metrics, as shares of 1; null where one has no value, such as a constant's correlation. */
export interface TaskScore {
  count: number;
  metrics: Partial<Record<MetricName, number | null>>;
  /** Mean of the metrics; one without a value counts 0. */
  score: number;
}

/**
 * Judges predictions by a task's metrics.
 * @throws MetricError when an item has no label or no prediction
 */
export function scoreTask(
  task: Pick<BenchmarkTask, "title" | "metrics">,
  items: readonly Item[],
  predictions: readonly SubmittedPrediction[],
): TaskScore {
  const byId = new Map(predictions.map((prediction) => [prediction.id, prediction]));
  const judged = items.map(({ id, label, group = id, answers = [] }) => {
    const prediction = byId.get(id);
    if (label === undefined || !prediction) {
      const missing = label === undefined ? "label" : "prediction";
      throw new MetricError(`${task.title}: expected a ${missing} of item ${id}, found none`);
    }
    return { label, group, answers, value: prediction.value, text: prediction.text ?? "" };
  });
  const values = task.metrics.map((name) => [name, metrics[name](judged)] as const);
  const sum = values.reduce((total, [, value]) => total + (Number.isNaN(value) ? 0 : value), 0);
  return {
    count: items.length,
    metrics: Object.fromEntries(
      values.map(([name, value]) => [name, Number.isNaN(value) ? null : value]),
    ),
    score: sum / values.length,
  };
}

/**
 * What answering every item alike scores: the commonest class or mean score of `training`, the first choice.
 * @throws MetricError when no training item has a label
 */
export function majorityScore(
  task: BenchmarkTask,
  training: readonly Item[],
  items: readonly Item[],
): TaskScore {
  const value = task.kind.type === "choice" ? 0 : commonest(task, training);
  const predictions = items.map(({ id, choices }) => ({
    ...{ id, value },
    ...(choices && { text: choices[0]! }),
  }));
  return scoreTask(task, items, predictions);
}

function commonest({ kind }: BenchmarkTask, training: readonly Item[]): number {
  const labels = training.flatMap(({ label }) => label ?? []);
  if (labels.length === 0) {
    throw new MetricError("expected labelled examples to find the commonest answer, found none");
  }
  if (kind.type === "score") return labels.reduce((sum, label) => sum + label, 0) / labels.length;
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}
