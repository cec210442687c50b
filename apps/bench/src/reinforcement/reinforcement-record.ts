/** What one run found out. */
export interface ReinforcementRunRecord {
  algorithm: string;
  seed: number;
  /** Greedy accuracy on held-out problems after so many iterations. */
  evaluations: { step: number; accuracy: number }[];
  /** Of each iteration: mean reward of what was drawn, −log π of its tokens, share outside the bounds. */
  iterations: { step: number; reward: number; entropy: number; clippedShare: number }[];
}

/** `docs/reinforcement.json`. */
export interface ReinforcementRecord {
  date: string;
  machine: string;
  model: string;
  recipe: unknown;
  runs: ReinforcementRunRecord[];
}

/** Reads what `levin reinforce` wrote to metrics.jsonl. */
export function readRun(
  metrics: string,
  of: Pick<ReinforcementRunRecord, "algorithm" | "seed">,
): ReinforcementRunRecord {
  const lines = metrics
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number>);
  return {
    ...of,
    evaluations: lines
      .filter((line) => "accuracy" in line)
      .map(({ step, accuracy }) => ({ step: step!, accuracy: accuracy! })),
    iterations: lines
      .filter((line) => "reward" in line)
      .map(({ step, reward, entropy, clippedShare }) => ({
        step: step!,
        reward: reward!,
        entropy: entropy!,
        clippedShare: clippedShare!,
      })),
  };
}
