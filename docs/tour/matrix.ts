/** Tensor operations in plain loops, so that every step can be read to the bottom. */

export type Matrix = number[][];

/** Numbers that look random and are the same each time, in −1..1. */
export function example(rows: number, columns: number, seed: number): Matrix {
  return Array.from({ length: rows }, (_row, i) =>
    Array.from({ length: columns }, (_column, j) => Math.sin(seed * 7 + i * 3.1 + j * 5.3)),
  );
}

/** q · k */
export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Σ weight · row: a mixture of the rows of a matrix. */
export function mix(weights: readonly number[], rows: Matrix): number[] {
  return rows[0]!.map((_, j) => weights.reduce((sum, weight, i) => sum + weight * rows[i]![j]!, 0));
}

/** e^x of each, made to sum to 1. */
export function softmax(scores: readonly number[]): number[] {
  const powers = scores.map((score) => Math.exp(score));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The largest difference between two matrices. */
export function difference(a: Matrix, b: Matrix): number {
  return Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i]![j]!))));
}
