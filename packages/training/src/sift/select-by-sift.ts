import { checkEmbeddings, dot, selectNearest, SelectionError } from "./select-nearest.ts";

/** Options of {@link selectBySift}. */
export interface SiftOptions {
  /** Examples to choose, at most. */
  count: number;
  /** Noise λ of an example: the larger, the less a repetition or a likeness puts off. Default 1. */
  lambda?: number;
  /** Only this many nearest neighbours are looked at; default 200. */
  candidates?: number;
  /** Whether an example may be chosen again, as in the paper; default true. */
  repeat?: boolean;
  /**
   * α of the paper: stops after n examples as soon as σ > 1/(α · n), as more would gain little.
   * Default: never.
   */
  stopAlpha?: number;
}

/** Chosen examples in order. */
export interface Selection {
  /** Numbers of the examples in the pool. */
  picks: number[];
  /** σ² of the query after each pick, from 1 (nothing known) to 0 for embeddings of length 1. */
  uncertainties: number[];
}

/**
 * SIFT (Hübotter et al., arXiv 2410.08020, algorithm 1): takes, one after the other, the example that
 * most reduces the uncertainty about the query, σ²(x*) = k(x*, x*) − k_X(x*)ᵀ (K_X + λI)⁻¹ k_X(x*),
 * where the kernel k is the dot product of embeddings. What says the same as an earlier pick
 * reduces little, so it is passed over, where nearest neighbours would take it.
 *
 * @param pool embeddings, as long as that of the query
 * @throws SelectionError for embeddings that do not fit, or options out of range
 */
export function selectBySift(
  query: Float32Array,
  pool: readonly Float32Array[],
  { count, lambda = 1, candidates = 200, repeat = true, stopAlpha }: SiftOptions,
): Selection {
  checkEmbeddings(query, pool, count);
  if (!(lambda > 0) || !(candidates >= 1) || !(stopAlpha === undefined || stopAlpha > 0)) {
    throw new SelectionError(
      `selection: expected lambda, candidates and stopAlpha > 0, found ${lambda}, ${candidates}, ${stopAlpha}`,
    );
  }
  const near = selectNearest(query, pool, candidates);
  const posterior = createPosterior(
    query,
    near.map((index) => pool[index]!),
    lambda,
  );
  const left = new Set(near.keys());
  const selection: Selection = { picks: [], uncertainties: [] };
  while (selection.picks.length < count && left.size > 0) {
    let best: number | undefined;
    for (const candidate of left) {
      if (best === undefined || posterior.gain(candidate) > posterior.gain(best)) best = candidate;
    }
    const variance = posterior.observe(best!);
    if (!repeat) left.delete(best!);
    selection.picks.push(near[best!]!);
    selection.uncertainties.push(variance);
    const { length: taken } = selection.picks;
    if (stopAlpha !== undefined && Math.sqrt(variance) > 1 / (stopAlpha * taken)) break;
  }
  return selection;
}

interface Posterior {
  /** What observing a candidate takes off σ² of the query. */
  gain(candidate: number): number;
  /** Observes a candidate; returns σ² of the query then. */
  observe(candidate: number): number;
}

/**
 * Covariances given the observations so far. Each observation is one more column of the Cholesky
 * factor, so a pick costs candidates · (width + picks).
 */
function createPosterior(
  query: Float32Array,
  candidates: readonly Float32Array[],
  lambda: number,
): Posterior {
  const columns: Float64Array[] = [];
  const withQuery = Float64Array.from(candidates, (x) => dot(x, query));
  const variances = Float64Array.from(candidates, (x) => dot(x, x));
  let variance = dot(query, query);
  const gain = (i: number): number => withQuery[i]! ** 2 / (variances[i]! + lambda);
  return {
    gain,
    observe(picked) {
      const scale = 1 / Math.sqrt(variances[picked]! + lambda);
      const ofQuery = withQuery[picked]! * scale;
      const column = Float64Array.from(candidates, (x, i) => {
        const known = columns.reduce((sum, earlier) => sum + earlier[i]! * earlier[picked]!, 0);
        return (dot(x, candidates[picked]!) - known) * scale;
      });
      columns.push(column);
      column.forEach((value, i) => {
        withQuery[i]! -= value * ofQuery;
        variances[i] = Math.max(0, variances[i]! - value ** 2);
      });
      variance = Math.max(0, variance - ofQuery ** 2);
      return variance;
    },
  };
}
