import type { CausalLanguageModel } from "@levin/model";
import {
  createAdamWState,
  disposeAdamWState,
  expectTrainable,
  learningRate,
  loraModel,
  shuffledExamples,
  updateStep,
  type AdamWState,
  type LoraAdapter,
  type Trainable,
} from "@levin/training";
import type * as tf from "@tensorflow/tfjs-core";
import type { AnswerKind } from "../suites/benchmark-task.ts";
import type { AnswerHead } from "./answer-head.ts";
import { headObjective, type HeadBatch, type HeadExample } from "./head-objective.ts";

/** How a head and the model below it are trained. */
export interface FineTuneOptions {
  steps: number;
  /** Default 16. */
  examplesPerStep?: number;
  /** Highest rate, after a tenth of the steps; default 3e-4. */
  peak?: number;
  /** Default 0.01. */
  weightDecay?: number;
  /** Texts that are computed at once have at most so many padded tokens; default 512: padding costs more than batches do. */
  maxBatchTokens?: number;
  /** Order of the examples; default 0. */
  seed?: number;
  /** Trains the adapter's factors instead of the model's parameters. */
  adapter?: LoraAdapter | undefined;
  onStep?(report: { step: number; loss: number }): void;
  /** The optimiser's state, to go on where it stands; it stays its owner's. Default: a new one. */
  state?: AdamWState;
  checkpoints?: HeadCheckpoints;
  /** Ends after the step that is running, with a checkpoint. */
  signal?: AbortSignal;
}

/** How a training is kept that may be stopped. */
export interface HeadCheckpoints {
  /** Steps between two of them. */
  every: number;
  /** Called once the next examples have shown that the model is sound. */
  save(): Promise<void>;
}

/** The parameters that are trained, by name: for a state of one's own. */
export function headParameters(
  model: CausalLanguageModel,
  head: AnswerHead,
  adapter?: LoraAdapter,
): Map<string, tf.Variable> {
  const { parameters } = adapter ?? model;
  return new Map([...(parameters as ReadonlyMap<string, tf.Variable>), ...head.parameters]);
}

/**
 * Trains a head together with its model, whose parameters must be variables, or with an adapter of it.
 * A step depends on the state and its number alone, so a training that goes on is the same to the bit.
 *
 * @throws DivergedError when a loss is not finite, ExampleError when there are no examples
 */
export async function fineTuneHead(
  model: CausalLanguageModel,
  head: AnswerHead,
  examples: readonly HeadExample[],
  options: FineTuneOptions & { kind: AnswerKind },
): Promise<void> {
  const { steps, kind, examplesPerStep = 16, peak = 3e-4, weightDecay = 0.01, seed = 0 } = options;
  const { adapter, checkpoints, maxBatchTokens, signal } = options;
  const objective = headObjective(head, kind);
  const trainable: Trainable<HeadBatch, "loss"> = {
    ...(adapter ? loraModel(model, adapter, objective) : objective(model)),
    parameters: headParameters(model, head, adapter),
  };
  const draw = shuffledExamples(examples, { examplesPerStep, seed });
  const batchesOf = (step: number): HeadBatch[] => headBatches(draw(step), maxBatchTokens);
  const state = options.state ?? createAdamWState(trainable.parameters);
  const schedule = { peak, warmupSteps: Math.ceil(steps / 10), totalSteps: steps };
  let saved = state.step;
  const save = async (): Promise<void> => {
    if (!checkpoints || saved === state.step) return;
    await expectTrainable(trainable, batchesOf(state.step), state.step);
    await checkpoints.save();
    saved = state.step;
  };
  try {
    while (state.step < steps) {
      if (signal?.aborted) break;
      const { losses } = await updateStep(trainable, state, batchesOf(state.step), {
        learningRate: learningRate(state.step, schedule),
        optimizer: { weightDecay },
      });
      options.onStep?.({ step: state.step, loss: losses.loss });
      if (checkpoints && state.step % checkpoints.every === 0) await save();
      // Lets signals and timers run between steps.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await save();
  } finally {
    if (!options.state) disposeAdamWState(state);
  }
}

/** Examples of like length together, as many as `maxTokens` padded tokens allow. */
export function headBatches(examples: readonly HeadExample[], maxTokens = 512): HeadBatch[] {
  const longest = ({ texts }: HeadExample): number => Math.max(...texts.map((ids) => ids.length));
  const batches: HeadExample[][] = [];
  let length = 0;
  let rows = 0;
  for (const example of examples.toSorted((a, b) => longest(b) - longest(a))) {
    const batch = batches.at(-1);
    rows += example.texts.length;
    if (batch && rows * length <= maxTokens) batch.push(example);
    else {
      batches.push([example]);
      rows = example.texts.length;
      length = longest(example);
    }
  }
  return batches.map((batch) => ({ examples: batch, targets: batch.length }));
}
