import * as tf from "@tensorflow/tfjs-core";
import { adamWUpdate, type AdamWOptions, type AdamWState } from "./adamw.ts";
import { batchExamples, type Example } from "./example.ts";
import { accumulateGradients, clipScale, globalNorm, type Trainable } from "./gradients.ts";
import { learningRate, type LearningRateSchedule } from "./learning-rate-schedule.ts";

/** Raised when a loss is NaN or infinite; parameters are those of the last good step. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
}

export interface TrainOptions {
  schedule: LearningRateSchedule;
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
 * Trains until `schedule.totalSteps` or abort, from the step that `state` is at.
 * @throws DivergedError when a loss or gradient is not finite
 * @throws ExampleError when an example is not one, or a step has nothing to learn
 */
export async function train(
  trainable: Trainable,
  state: AdamWState,
  options: TrainOptions,
): Promise<void> {
  while (state.step < options.schedule.totalSteps && !options.signal?.aborted) {
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
  const { schedule, maxGradientNorm = 1, maxBatchTokens = 8192 } = options;
  const started = performance.now();
  const batches = batchExamples(options.examples(state.step), maxBatchTokens);
  const { gradients, crossEntropy, loadBalancing } = await accumulateGradients(trainable, batches);
  try {
    const gradientNorm = await globalNorm(gradients);
    if (!Number.isFinite(crossEntropy + loadBalancing + gradientNorm)) {
      throw new DivergedError(
        `step ${state.step + 1}: expected finite numbers, found loss ${crossEntropy} and gradient norm ${gradientNorm}`,
      );
    }
    const rate = learningRate(state.step, schedule);
    const scale = clipScale(gradientNorm, maxGradientNorm);
    adamWUpdate(
      trainable.parameters,
      gradients,
      state,
      { learningRate: rate, scale },
      options.optimizer,
    );
    return {
      step: state.step,
      crossEntropy,
      loadBalancing,
      gradientNorm,
      learningRate: rate,
      tokens: batches.reduce((sum, batch) => sum + batch.tokens, 0),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    tf.dispose([...gradients.values()]);
  }
}
