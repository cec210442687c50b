import type { CausalLanguageModel, TextTokenizer } from "@levin/model";
import type { AdamWOptions, AdamWState } from "../adamw.ts";
import { updateStep } from "../update-step.ts";
import { drawMixedGroups, type DrawingFigures, type GroupDrawing } from "./mixed-groups.ts";
import type { Clipping } from "./policy-loss.ts";
import { policyModel, type PolicyFigure } from "./policy-model.ts";
import { batchRollouts, type JudgedRollout, type RolloutBatch } from "./rollout-batches.ts";
import { answerDrawing, type DrawAnswers } from "./rollout.ts";

/** Options of {@link reinforce}. */
export interface ReinforceOptions extends GroupDrawing {
  /** Each draws answers with the policy as it is, then updates it from them. */
  iterations: number;
  /** Updates from the answers of one iteration; those after the first are off policy. */
  updatesPerIteration: number;
  /**
   * Draws answers of the model with its parameters as they are, perhaps elsewhere; default: here, in
   * one batch.
   */
  draw?: DrawAnswers;
  /** Default: CISPO with weights of at most 1 + 2 and no lower bound. */
  clipping?: Clipping;
  learningRate: number;
  optimizer?: AdamWOptions;
  maxGradientNorm?: number;
  /** Padded tokens computed at once; more are accumulated. Default 8192. */
  maxBatchTokens?: number;
  onIteration?(report: IterationReport): void | Promise<void>;
}

/** Figures of one iteration; losses and what is told of the policy are means over its updates. */
export interface IterationReport extends Record<PolicyFigure, number>, DrawingFigures {
  /** Iterations done, this one included. */
  iteration: number;
  /** `weightDeviation` of the first update, where only precision can make it differ from 0. */
  precisionGap: number;
  gradientNorm: number;
  drawSeconds: number;
  updateSeconds: number;
}

const cispo: Clipping = { algorithm: "cispo", low: Infinity, high: 2 };

/**
 * Reinforcement learning with verifiable rewards (CISPO, paper section 3.1): draw groups of answers,
 * keep the groups whose answers differ in reward, update the policy towards the better ones.
 *
 * Goes on from the step of `state`; each iteration takes `updatesPerIteration` of them and depends on
 * nothing but its number and the parameters, so that resume is exact.
 *
 * @throws ReinforceOptionsError
 * @throws NothingToLearnError when no group of an iteration has answers of different reward
 * @throws DivergedError when a loss or gradient is not finite
 */
export async function reinforce(
  model: CausalLanguageModel,
  tokenizer: TextTokenizer,
  state: AdamWState,
  options: ReinforceOptions,
): Promise<void> {
  checkOptions(options);
  const { updatesPerIteration, iterations, signal } = options;
  for (;;) {
    const iteration = Math.floor(state.step / updatesPerIteration);
    if (iteration >= iterations || signal?.aborted) return;
    const report = await runIteration(model, tokenizer, state, iteration, options);
    // An aborted drawing is no iteration.
    if (!report) return;
    await options.onIteration?.(report);
  }
}

type PolicyUpdate = Awaited<ReturnType<typeof updateStep<RolloutBatch, PolicyFigure>>>;

async function runIteration(
  model: CausalLanguageModel,
  tokenizer: TextTokenizer,
  state: AdamWState,
  iteration: number,
  options: ReinforceOptions,
): Promise<IterationReport | undefined> {
  const started = performance.now();
  const { draw = answerDrawing(model, tokenizer) } = options;
  const { rollouts, ...drawn } = await drawMixedGroups(draw, iteration, options);
  if (options.signal?.aborted) return undefined;
  const drawnAt = performance.now();
  const { updatesPerIteration, maxBatchTokens = 8192, clipping = cispo } = options;
  const policy = policyModel(model, clipping);
  const updates: PolicyUpdate[] = [];
  for (const share of shared(rollouts, updatesPerIteration)) {
    updates.push(await updateStep(policy, state, batchRollouts(share, maxBatchTokens), options));
  }
  const mean = (figure: (update: PolicyUpdate) => number): number =>
    updates.reduce((sum, update) => sum + figure(update), 0) / updates.length;
  return {
    iteration: iteration + 1,
    ...drawn,
    policy: mean(({ losses }) => losses.policy),
    loadBalancing: mean(({ losses }) => losses.loadBalancing),
    clippedShare: mean(({ losses }) => losses.clippedShare),
    weightDeviation: mean(({ losses }) => losses.weightDeviation),
    precisionGap: updates[0]!.losses.weightDeviation,
    gradientNorm: mean(({ gradientNorm }) => gradientNorm),
    drawSeconds: (drawnAt - started) / 1000,
    updateSeconds: (performance.now() - drawnAt) / 1000,
  };
}

/**
 * Shares rollouts out in their order, so that an update sees right and wrong answers to the same
 * question: what they have in common cancels, and what made the difference is left.
 */
function shared(rollouts: readonly JudgedRollout[], updates: number): JudgedRollout[][] {
  const bound = (update: number): number => Math.round((update * rollouts.length) / updates);
  return Array.from({ length: updates }, (_, update) =>
    rollouts.slice(bound(update), bound(update + 1)),
  );
}

/** Raised when an option can't be as it is. */
export class ReinforceOptionsError extends RangeError {
  override readonly name = "ReinforceOptionsError";
}

function checkOptions(options: ReinforceOptions): void {
  const { groupSize, promptsPerIteration, updatesPerIteration, mostDraws = 10 } = options;
  const least = { groupSize: 2, promptsPerIteration: 1, updatesPerIteration: 1, mostDraws: 1 };
  const found = { groupSize, promptsPerIteration, updatesPerIteration, mostDraws };
  for (const [name, value] of Object.entries(found)) {
    const lowest = least[name as keyof typeof least];
    if (!Number.isInteger(value) || value < lowest) {
      throw new ReinforceOptionsError(
        `${name}: expected a whole number from ${lowest}, found ${value}`,
      );
    }
  }
  const { lengthPenalty: penalty } = options;
  if (penalty && !(penalty.free < penalty.most)) {
    throw new ReinforceOptionsError(
      `lengthPenalty: expected free below most, found ${penalty.free} and ${penalty.most}`,
    );
  }
  if (updatesPerIteration > groupSize) {
    throw new ReinforceOptionsError(
      `updatesPerIteration: expected at most groupSize (${groupSize}), found ${updatesPerIteration}`,
    );
  }
}
