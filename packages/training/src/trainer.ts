import type { AdamWOptions, AdamWState } from "./adamw.ts";
import { batchExamples, type Example } from "./example.ts";
import type { Trainable } from "./gradients.ts";
import { learningRate, type LearningRateSchedule } from "./learning-rate-schedule.ts";
import { updateStep } from "./update-step.ts";

/** Options of {@link train}. */
export interface TrainOptions {
  schedule: LearningRateSchedule;
  /** Steps done when it ends, such as those of a stage; default `schedule.totalSteps`. */
  untilStep?: number;
  optimizer?: AdamWOptions;
  /** Largest norm of the gradient; default 1. */
  maxGradientNorm?: number;
  /** Padded tokens computed at once; more are accumulated. Default 8192. */
  maxBatchTokens?: number;
  /** The examples of one step; must depend on nothing but the step, so that resume is exact. */
  examples(step: number): readonly Example[];
  /** Called after each step. */
  onStep?(report: StepReport): void | Promise<void>;
  signal?: AbortSignal;
}

/** What {@link train} tells after a step. */
export interface StepReport {
  /** Steps done, this one included. */
  step: number;
  crossEntropy: number;
  loadBalancing: number;
  gradientNorm: number;
  learningRate: number;
  /** Real tokens of this step. */
  tokens: number;
  seconds: number;
}

/**
 * Trains until `untilStep` or abort, from the step that `state` is at.
 * @throws DivergedError when a loss or gradient is not finite
 * @throws ExampleError when an example is not one, or a step has nothing to learn
 */
export async function train(
  trainable: Trainable,
  state: AdamWState,
  options: TrainOptions,
): Promise<void> {
  const { untilStep = options.schedule.totalSteps } = options;
  while (state.step < untilStep && !options.signal?.aborted) {
    const report = await trainStep(trainable, state, options);
    await options.onStep?.(report);
    // Lets signals and timers run between steps.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

async function trainStep(
  trainable: Trainable,
  state: AdamWState,
  options: TrainOptions,
): Promise<StepReport> {
  const { schedule, maxGradientNorm, optimizer, maxBatchTokens = 8192 } = options;
  const started = performance.now();
  const batches = batchExamples(options.examples(state.step), maxBatchTokens);
  const rate = learningRate(state.step, schedule);
  const { losses, gradientNorm } = await updateStep(trainable, state, batches, {
    learningRate: rate,
    maxGradientNorm,
    optimizer,
  });
  return {
    step: state.step,
    crossEntropy: losses.crossEntropy,
    loadBalancing: losses.loadBalancing,
    gradientNorm,
    learningRate: rate,
    tokens: batches.reduce((sum, batch) => sum + batch.tokens, 0),
    seconds: (performance.now() - started) / 1000,
  };
}
