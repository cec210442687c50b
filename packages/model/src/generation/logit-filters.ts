/**
 * Changes logits in place before one is drawn; hidden tokens become −∞. Filters apply in the order
 * of transformers: repetition penalty, temperature, top-k, top-p, min-p.
 */
export type LogitFilter = (logits: Float32Array, history: readonly number[]) => void;

/** Makes tokens that already occurred less likely (CTRL, arXiv 1909.05858); 1 changes nothing. */
export function repetitionPenalty(penalty: number): LogitFilter {
  return (logits, history) => {
    for (const id of new Set(history)) {
      const logit = logits[id]!;
      logits[id] = logit > 0 ? logit / penalty : logit * penalty;
    }
  };
}

/** Divides logits; below 1 sharpens, above 1 flattens. */
export function temperature(value: number): LogitFilter {
  return (logits) => {
    for (let i = 0; i < logits.length; i++) logits[i]! /= value;
  };
}

/** Keeps the k most likely tokens, lower ids first among equals. */
export function topK(k: number): LogitFilter {
  return (logits) => {
    for (const id of byFallingLogit(logits).slice(k)) logits[id] = -Infinity;
  };
}

/** Keeps the fewest tokens that together have at least probability `p` (arXiv 1904.09751). */
export function topP(p: number): LogitFilter {
  return (logits) => {
    const probabilities = softmax(logits);
    let mass = 0;
    for (const id of byFallingLogit(logits)) {
      if (mass >= p) logits[id] = -Infinity;
      mass += probabilities[id]!;
    }
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
  const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - highest));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

/** Natural-log probability of one token. */
export function logProbability(logits: Float32Array, id: number): number {
  const highest = max(logits);
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - highest);
  return logits[id]! - highest - Math.log(total);
}

/** Token ids from most to least likely; lower ids first among equals. */
export function byFallingLogit(logits: Float32Array): Uint32Array {
  return Uint32Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
}

function max(values: Float32Array): number {
  let highest = -Infinity;
  for (const value of values) if (value > highest) highest = value;
  return highest;
}
