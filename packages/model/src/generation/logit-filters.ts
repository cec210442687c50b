import { max, visitFalling } from "./falling-order.ts";

/**
 * Changes logits in place before one is drawn; hidden tokens become −∞. Filters apply in the order
 * of transformers and vLLM: bias, penalties, temperature, top-k, top-p, min-p.
 *
 * @param seen tokens that occurred so far, those of the prompt included
 * @param said how often each token was generated
 */
export type LogitFilter = (
  logits: Float32Array,
  seen: ReadonlySet<number>,
  said: ReadonlyMap<number, number>,
) => void;

/** Makes tokens that already occurred less likely (CTRL, arXiv 1909.05858); 1 changes nothing. */
export function repetitionPenalty(penalty: number): LogitFilter {
  return (logits, seen) => {
    for (const id of seen) {
      const logit = logits[id]!;
      logits[id] = logit > 0 ? logit / penalty : logit * penalty;
    }
  };
}

/** Adds to the logits of some tokens; ids beyond the vocabulary have no effect. */
export function logitBias(bias: Readonly<Record<string, number>>): LogitFilter {
  const entries = Object.entries(bias).map(([id, value]) => [Number(id), value] as const);
  return (logits) => {
    for (const [id, value] of entries) if (id < logits.length) logits[id]! += value;
  };
}

/**
 * Makes tokens that were generated before less likely, as OpenAI's API defines it: by `presence`
 * once, and by `frequency` for each time; below 0 more likely.
 */
export function occurrencePenalty(presence: number, frequency: number): LogitFilter {
  return (logits, _, said) => {
    for (const [id, count] of said) logits[id]! -= presence + count * frequency;
  };
}

/** Divides logits; below 1 sharpens, above 1 flattens. */
export function temperature(value: number): LogitFilter {
  return (logits) => {
    // Relative to the highest, so that a tiny temperature never overflows to +∞.
    const highest = max(logits);
    for (let i = 0; i < logits.length; i++) logits[i] = (logits[i]! - highest) / value;
  };
}

/** Keeps the k most likely tokens, lower ids first among equals. */
export function topK(k: number): LogitFilter {
  return (logits) => {
    if (k >= logits.length) return;
    let left = k;
    keepLikeliest(logits, () => --left === 0);
  };
}

/** Keeps the fewest tokens that together have at least probability `p` (arXiv 1904.09751). */
export function topP(p: number): LogitFilter {
  return (logits) => {
    if (p >= 1) return;
    const probabilities = softmax(logits);
    let mass = 0;
    keepLikeliest(logits, (id) => (mass += probabilities[id]!) >= p);
  };
}

/** Keeps tokens at least `p` times as likely as the likeliest (arXiv 2407.01082). */
export function minP(p: number): LogitFilter {
  return (logits) => {
    const least = max(logits) + Math.log(p);
    for (let i = 0; i < logits.length; i++) if (logits[i]! < least) logits[i] = -Infinity;
  };
}

/** Probabilities of logits, in float64. */
export function softmax(logits: Float32Array): Float64Array {
  const highest = max(logits);
  const probabilities = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    total += probabilities[i] = Math.exp(logits[i]! - highest);
  }
  for (let i = 0; i < logits.length; i++) probabilities[i]! /= total;
  return probabilities;
}

/** Natural-log probability of one token. */
export function logProbability(logits: Float32Array, id: number): number {
  return logits[id]! - logSumExp(logits);
}

/** Logarithm of the sum of exponentials; a logit less this is its log-probability. */
export function logSumExp(logits: Float32Array): number {
  const highest = max(logits);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i]! - highest);
  return highest + Math.log(total);
}

/** The most likely token; the lowest id among equals. */
export function argMax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** Ids of the `count` likeliest tokens, likeliest first; lower ids first among equals. */
export function likeliest(logits: Float32Array, count: number): number[] {
  const ids: number[] = [];
  if (count > 0) visitFalling(logits, (id) => ids.push(id) >= count);
  return ids;
}

/** Hides all tokens but the likeliest, down to the one of which `isLast` is true. */
function keepLikeliest(logits: Float32Array, isLast: (id: number) => boolean): void {
  const all = logits.slice();
  logits.fill(-Infinity);
  visitFalling(all, (id) => {
    logits[id] = all[id]!;
    return isLast(id);
  });
}
