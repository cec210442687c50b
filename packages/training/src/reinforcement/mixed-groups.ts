import { groupAdvantages } from "./group-advantages.ts";
import { lengthPenalty, type LengthPenalty } from "./length-penalty.ts";
import type { JudgedRollout } from "./rollout-batches.ts";
import {
  drawGroups,
  type DrawAnswers,
  type Rollout,
  type RolloutPrompt,
  type RolloutSampling,
} from "./rollout.ts";

/** Which groups are drawn for an iteration. */
export interface GroupDrawing extends RolloutSampling {
  /** The prompt of a number, which counts on through all iterations; must depend on it alone. */
  prompt(number: number): RolloutPrompt;
  /** Answers to each prompt. */
  groupSize: number;
  /** Groups of different rewards that an iteration learns from. */
  promptsPerIteration: number;
  /** Times `promptsPerIteration` prompts at most that are drawn to find them; default 10. */
  mostDraws?: number;
  lengthPenalty?: LengthPenalty | undefined;
}

/** Raised when the answers to every prompt are worth the same: all right, or all wrong. */
export class NothingToLearnError extends Error {
  override readonly name = "NothingToLearnError";
}

/** Figures of all answers that were drawn, those of groups without a difference included. */
export interface DrawingFigures {
  /** Mean reward, lengths not counted. */
  reward: number;
  /** Share of the groups that had answers of different reward. */
  mixedShare: number;
  /** Mean tokens of an answer with its thought. */
  length: number;
  /** Mean −log π of the tokens that the policy chose, in nats. */
  entropy: number;
  /** Tokens that were drawn. */
  tokens: number;
}

/**
 * Draws groups until enough have answers of different reward (dynamic sampling of DAPO, arXiv
 * 2503.14476; paper section 3.1); fewer when `mostDraws` is used up.
 *
 * @throws NothingToLearnError when there is none
 */
export async function drawMixedGroups(
  draw: DrawAnswers,
  iteration: number,
  drawing: GroupDrawing,
): Promise<DrawingFigures & { rollouts: JudgedRollout[] }> {
  const { promptsPerIteration, groupSize, mostDraws = 10 } = drawing;
  const most = mostDraws * promptsPerIteration;
  const all: Rollout[] = [];
  const mixed: JudgedRollout[][] = [];
  let drawn = 0;
  while (mixed.length < promptsPerIteration && drawn < most && !drawing.signal?.aborted) {
    const first = iteration * most + drawn;
    const count = Math.min(promptsPerIteration - mixed.length, most - drawn);
    const prompts = Array.from({ length: count }, (_, i) => drawing.prompt(first + i));
    const seed = drawing.seed + first * groupSize;
    const groups = await drawGroups(draw, prompts, groupSize, {
      ...sampling(drawing),
      seed,
    });
    for (const group of groups) {
      all.push(...group);
      const advantages = groupAdvantages(group.map((each) => worth(each, drawing.lengthPenalty)));
      if (advantages.every((advantage) => advantage === 0)) continue;
      mixed.push(group.map((rollout, i) => ({ ...rollout, advantage: advantages[i]! })));
    }
    drawn += count;
  }
  if (mixed.length === 0 && !drawing.signal?.aborted) throw nothingToLearn(all, drawn);
  return { rollouts: mixed.flat(), mixedShare: mixed.length / drawn, ...figures(all) };
}

function sampling({ maxNewTokens, thinkingBudget, truncateRepetition, signal }: GroupDrawing) {
  return { maxNewTokens, thinkingBudget, truncateRepetition, signal };
}

function worth({ reward, ids }: Rollout, penalty: LengthPenalty | undefined): number {
  return penalty ? reward - lengthPenalty(ids.length, penalty) : reward;
}

function figures(rollouts: readonly Rollout[]): Omit<DrawingFigures, "mixedShare"> {
  const tokens = rollouts.reduce((sum, { ids }) => sum + ids.length, 0);
  // Tokens that closed a thought by force say nothing of the policy.
  const chosen = rollouts.flatMap(({ logProbabilities, learned }) =>
    logProbabilities.filter((_, t) => learned[t] === 1),
  );
  return {
    reward: rollouts.reduce((sum, { reward }) => sum + reward, 0) / rollouts.length,
    length: tokens / rollouts.length,
    entropy: -chosen.reduce((sum, value) => sum + value, 0) / chosen.length,
    tokens,
  };
}

function nothingToLearn(rollouts: readonly Rollout[], prompts: number): NothingToLearnError {
  const { reward } = figures(rollouts);
  return new NothingToLearnError(
    `expected answers of different reward to at least one prompt, found none in ${prompts} prompts ` +
      `(mean reward ${reward.toFixed(2)}): the problems are too easy or too hard for this model`,
  );
}
