/** How near two implementations are at one position. */
export interface Nearness {
  /** Greatest difference of a logit. */
  logit: number;
  /** Kullback-Leibler divergence of the second distribution from the first, in nats. */
  divergence: number;
  /** Whether both have the same likeliest token. */
  agree: boolean;
  /** Of the first, between its likeliest token and the next. */
  margin: number;
}

/** Compares logits over the same vocabulary. */
export function compareLogits(first: Float32Array, second: Float32Array): Nearness {
  const [p, q] = [logProbabilities(first), logProbabilities(second)];
  let [logit, divergence] = [0, 0];
  for (let id = 0; id < first.length; id++) {
    logit = Math.max(logit, Math.abs(first[id]! - second[id]!));
    divergence += Math.exp(p[id]!) * (p[id]! - q[id]!);
  }
  const best = argMax(first);
  const others = first.filter((_, id) => id !== best);
  return {
    logit,
    divergence,
    agree: best === argMax(second),
    margin: first[best]! - others[argMax(others)]!,
  };
}

/** Index of the greatest number, the first of equal ones. */
export function argMax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

function logProbabilities(logits: Float32Array): Float64Array {
  const greatest = logits[argMax(logits)]!;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - greatest);
  const normaliser = greatest + Math.log(sum);
  return Float64Array.from(logits, (logit) => logit - normaliser);
}
