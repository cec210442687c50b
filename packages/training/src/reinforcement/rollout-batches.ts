import { likeLengths, padExamples, padRight, type TrainingBatch } from "../example.ts";
import type { Rollout } from "./rollout.ts";

/** A rollout and what its answer was worth against those of its group. */
export interface JudgedRollout extends Rollout {
  advantage: number;
}

/** Padded rows of rollouts; labels are the tokens that the policy chose. */
export interface RolloutBatch extends TrainingBatch {
  /** `[batch][length]`, in the place of each label; 0 elsewhere. */
  oldLogProbabilities: number[][];
  advantages: number[][];
}

/** Sorts rollouts by length and cuts them into batches of at most `maxTokens` padded tokens. */
export function batchRollouts(
  rollouts: readonly JudgedRollout[],
  maxTokens: number,
): RolloutBatch[] {
  return likeLengths(rollouts.map(toRow), maxTokens).map((rows) => {
    const batch = padExamples(rows);
    const length = batch.ids[0]!.length;
    return {
      ...batch,
      oldLogProbabilities: rows.map((row) => padRight(row.oldLogProbabilities, length, 0)),
      advantages: rows.map(({ advantage, learned }) =>
        padRight(
          learned.map((each) => each * advantage),
          length,
          0,
        ),
      ),
    };
  });
}

function toRow({ promptIds, ids, learned, logProbabilities, advantage }: JudgedRollout) {
  const none = promptIds.map(() => 0);
  return {
    ids: [...promptIds, ...ids],
    learned: [...none, ...learned],
    oldLogProbabilities: [...none, ...logProbabilities.map((value, t) => value * learned[t]!)],
    advantage,
  };
}
