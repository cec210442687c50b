/** Raised when a metric has nothing to measure, or not a prediction for each label. */
export class MetricError extends Error {
  override readonly name = "MetricError";
}

/** Throws MetricError unless there is a prediction for each of at least one label. */
export function expectPairs(
  metric: string,
  labels: readonly unknown[],
  predictions: readonly unknown[],
): void {
  if (labels.length === 0 || labels.length !== predictions.length) {
    throw new MetricError(
      `${metric}: expected a prediction for each of at least one label, ` +
        `found ${labels.length} labels and ${predictions.length} predictions`,
    );
  }
}
