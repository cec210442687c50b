import { majorityVote } from "@levin/model";
import { wilsonInterval } from "@levin/tasks";

/** A reply that was judged. */
export interface JudgedSample {
  /** Which problem it replies to. */
  problem: string;
  isRight: boolean;
  /** What samples must share to agree; "" abstains. */
  key: string;
}

/** How well problems were solved by some samples each. */
export interface SampleScore {
  suite: string;
  problems: number;
  /** Of each problem. */
  samples: number;
  /** Share of all samples that are right. */
  accuracy: number;
  /**
   * 95 % interval of the accuracy over problems like these (Wilson). Samples of one problem are no
   * independent trials, so it counts as many as their spread over the problems is worth: between one and
   * all of each problem.
   */
  lower: number;
  upper: number;
  /**
   * Chance that at least one of k samples is right, for k = 1, 2, 4 … as Chen et al. estimate it without
   * bias (arXiv 2107.03374, equation 1).
   */
  passAt: Record<string, number>;
  /** Share of problems where the answer that most samples agree on is right. */
  majority: number;
}

/** The score of samples, of each problem as many. */
export function scoreSamples(suite: string, samples: readonly JudgedSample[]): SampleScore {
  const problems = new Map<string, JudgedSample[]>();
  for (const sample of samples) {
    problems.set(sample.problem, [...(problems.get(sample.problem) ?? []), sample]);
  }
  const groups = [...problems.values()];
  const count = groups[0]?.length ?? 0;
  const right = groups.map((group) => group.filter(({ isRight }) => isRight).length);
  const passAt: Record<string, number> = {};
  for (let k = 1; k <= count; k *= 2) {
    passAt[k] = mean(right.map((found) => passProbability(count, found, k)));
  }
  const shares = right.map((found) => found / count);
  const accuracy = mean(shares);
  const trials = independentTrials(shares, count);
  const { lower, upper } = wilsonInterval(accuracy * trials, trials);
  const majority = mean(
    groups.map((group) => Number(majorityVote(group, ({ key }) => key)?.winner.isRight ?? false)),
  );
  return {
    ...{ suite, problems: groups.length, samples: count },
    ...{ accuracy, lower, upper, passAt, majority },
  };
}

/**
 * How many independent trials vary as much as the mean of the problems' shares does, which are the
 * clusters: the effective sample size of Kish (Survey Sampling, 1965).
 */
function independentTrials(shares: readonly number[], samples: number): number {
  const problems = shares.length;
  const p = mean(shares);
  const variance = mean(shares.map((share) => (share - p) ** 2)) / problems;
  // All wrong or all right does not tell whether samples differ at all.
  if (p === 0 || p === 1) return problems;
  return Math.min(problems * samples, Math.max(problems, (p * (1 - p)) / variance));
}

/** Chance that k of `count` samples, drawn without replacement, hold one of the `right` ones. */
function passProbability(count: number, right: number, k: number): number {
  let allWrong = 1;
  for (let i = 0; i < k; i++) allWrong *= Math.max(0, count - right - i) / (count - i);
  return 1 - allWrong;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
