/**
 * The candidate with the highest score (best-of-N): by a verifier, a reward model, or the
 * log-probability. Ties go to the first; NaN never wins; undefined when none has a score.
 */
export function bestOf<Candidate>(
  candidates: readonly Candidate[],
  score: (candidate: Candidate) => number,
): Candidate | undefined {
  let best: { candidate: Candidate; score: number } | undefined;
  for (const candidate of candidates) {
    const value = score(candidate);
    if (value > (best?.score ?? -Infinity)) best = { candidate, score: value };
  }
  return best?.candidate;
}
