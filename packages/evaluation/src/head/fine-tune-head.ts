import type { CausalLanguageModel } from "@levin/model";
import {
  createAdamWState,
  disposeAdamWState,
  learningRate,
  loraModel,
  shuffledExamples,
  updateStep,
  type LoraAdapter,
  type Trainable,
} from "@levin/training";
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
}

/**
 * Trains a head together with its model, whose parameters must be variables, or with an adapter of it.
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
  const objective = headObjective(head, kind);
  const trainable = options.adapter
    ? withHead(loraModel(model, options.adapter, objective), head)
    : objective(model);
  const draw = shuffledExamples(examples, { examplesPerStep, seed });
  const state = createAdamWState(trainable.parameters);
  const schedule = { peak, warmupSteps: Math.ceil(steps / 10), totalSteps: steps };
  try {
    while (state.step < steps) {
      const rate = learningRate(state.step, schedule);
      const batches = headBatches(draw(state.step), options.maxBatchTokens);
      const { losses } = await updateStep(trainable, state, batches, {
        learningRate: rate,
        optimizer: { weightDecay },
      });
      options.onStep?.({ step: state.step, loss: losses.loss });
      // Lets signals and timers run between steps.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } finally {
    disposeAdamWState(state);
  }
}

/** An adapter's factors alone are its parameters; the head is trained with them. */
function withHead(
  adapted: Trainable<HeadBatch, "loss">,
  head: AnswerHead,
): Trainable<HeadBatch, "loss"> {
  return { ...adapted, parameters: new Map([...adapted.parameters, ...head.parameters]) };
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
