import { expectPairs } from "./metric-error.ts";

/**
 * Pearson's correlation, −1 to 1; NaN when either side is constant, as in scipy.
 * Throws MetricError when there is nothing, or lengths differ.
 */
export function pearson(scores: readonly number[], predictions: readonly number[]): number {
  expectPairs("Pearson's correlation", scores, predictions);
  const [a, b] = [centred(scores), centred(predictions)];
  if (a === undefined || b === undefined) return Number.NaN;
  const dot = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  return Math.max(-1, Math.min(1, dot));
}

/** Spearman's correlation: Pearson's of the ranks, where equal values share their mean rank. */
export function spearman(scores: readonly number[], predictions: readonly number[]): number {
  expectPairs("Spearman's correlation", scores, predictions);
  return pearson(meanRanks(scores), meanRanks(predictions));
}

/** Differences from the mean, scaled to length 1; undefined when all values are equal. */
function centred(values: readonly number[]): number[] | undefined {
  if (values.every((value) => value === values[0])) return undefined;
  // Scaled first, so that squares of large numbers stay finite and of tiny ones stay above 0.
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scaled = values.map((value) => value / largest);
  const mean = scaled.reduce((sum, value) => sum + value, 0) / values.length;
  const differences = scaled.map((value) => value - mean);
  const length = Math.sqrt(differences.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? undefined : differences.map((difference) => difference / length);
}

/** Ranks from 1 on. */
function meanRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const ranks = Array<number>(values.length).fill(0);
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let place = start; place < end; place++) ranks[order[place]!] = (start + 1 + end) / 2;
  }
  return ranks;
}
