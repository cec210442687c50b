/** Raised when examples can't be chosen. */
export class SelectionError extends Error {
  override readonly name = "SelectionError";
}

/**
 * The nearest examples by dot product of embeddings, nearest first: what SIFT is compared with.
 *
 * @param pool embeddings, as long as that of the query
 * @returns numbers of the examples in the pool
 * @throws SelectionError for embeddings that do not fit, or a bad count
 */
export function selectNearest(
  query: Float32Array,
  pool: readonly Float32Array[],
  count: number,
): number[] {
  checkEmbeddings(query, pool, count);
  const likeness = pool.map((embedding) => dot(embedding, query));
  return [...pool.keys()].sort((a, b) => likeness[b]! - likeness[a]! || a - b).slice(0, count);
}

/** Throws SelectionError unless `count` examples can be chosen from embeddings of one width. */
export function checkEmbeddings(
  query: Float32Array,
  pool: readonly Float32Array[],
  count: number,
): void {
  if (pool.length === 0 || !Number.isInteger(count) || count < 1) {
    throw new SelectionError(
      `selection: expected a whole count ≥ 1 and at least one example, found ${count} and ${pool.length}`,
    );
  }
  const other = pool.find(({ length }) => length !== query.length);
  if (other) {
    throw new SelectionError(
      `selection: expected embeddings of ${query.length} numbers, found ${other.length}`,
    );
  }
}

/** Dot product in float64. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
