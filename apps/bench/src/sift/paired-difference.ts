/** A mean with its 95 % interval. */
export interface Interval {
  mean: number;
  lower: number;
  upper: number;
}

/** Mean of the differences a − b of pairs, with the interval of the normal approximation. */
export function pairedDifference(a: readonly number[], b: readonly number[]): Interval {
  const differences = a.map((value, i) => value - b[i]!);
  const mean = meanOf(differences);
  const variance = meanOf(differences.map((value) => (value - mean) ** 2));
  const radius = 1.96 * Math.sqrt(variance / (differences.length - 1));
  return { mean, lower: mean - radius, upper: mean + radius };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
