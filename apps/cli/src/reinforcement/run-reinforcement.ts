import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { evaluateTask } from "@levin/tasks";
import {
  batchExamples,
  expectTrainable,
  NothingToLearnError,
  reinforce,
  trainableModel,
  type IterationReport,
} from "@levin/training";
import { loadTrainingCheckpoint, saveTrainingCheckpoint } from "@levin/training/node";
import { batchAnswerer } from "../batch-answerer.ts";
import { loadText, type ModelBundle } from "../load-bundle.ts";
import { saveFinished, trainedModel } from "../training/model-folder.ts";
import { openRunLog } from "../training/run-log.ts";
import { withWayOn } from "../training/way-on.ts";
import { expectWritable } from "../training/write-whole.ts";
import type { ReinforcementRecipe } from "./reinforcement-recipe.ts";
import { recipeTasks, taskPrompts } from "./task-prompts.ts";

export interface ReinforcementRun {
  recipe: ReinforcementRecipe;
  /** Checkpoints, metrics and the finished model go here. */
  directory: string;
  /** The model to start from: one that solves some of the problems some of the time. */
  from: string;
  onIteration?(report: IterationReport): void;
  onEvaluation?(evaluation: HeldOutEvaluation): void;
  signal?: AbortSignal;
}

/** Greedy accuracy on held-out problems, by task and over all. */
export interface HeldOutEvaluation {
  step: number;
  accuracy: number;
  tasks: Record<string, number>;
}

/**
 * Teaches a model by reinforcement, or goes on where an earlier run in the same directory stopped.
 * The finished model (bfloat16, with tokenizer and chat template) is in `directory/model`.
 *
 * @returns the iterations done, and whether that was all there is to learn
 * @throws RecipeError, DivergedError, TrainingCheckpointError, OutputError
 */
export async function runReinforcement(
  run: ReinforcementRun,
): Promise<{ iterations: number; nothingToLearn: string | undefined }> {
  const { recipe, directory, from, signal } = run;
  const { updatesPerIteration, checkpointEvery, evaluation } = recipe;
  await expectWritable(directory, () => mkdir(directory, { recursive: true }));
  const text = await loadText(from);
  const checkpoints = join(directory, "checkpoints");
  // These may be changed on the way, the learning rate after a divergence; anything else would make
  // it another training.
  const {
    iterations,
    learningRate: _rate,
    checkpointEvery: _every,
    evaluation: _,
    ...settings
  } = recipe;
  const { model, state } =
    (await loadTrainingCheckpoint(checkpoints, settings)) ?? (await trainedModel(from));
  // What comes before the first iteration is done again when no checkpoint tells of it.
  const log = await openRunLog(directory, state.step === 0 ? -1 : state.step / updatesPerIteration);
  const prompt = taskPrompts(recipe, text);
  const evaluate = async (step: number): Promise<void> => {
    const found = await heldOutAccuracy({ ...text, model }, recipe);
    run.onEvaluation?.({ step, ...found });
    await log("metrics", { step, ...found });
  };
  let saved = state.step;
  const save = async (): Promise<void> => {
    if (saved === state.step) return;
    const { ids } = prompt(0);
    const probe = batchExamples([{ ids: [...ids], learned: ids.map(() => 1) }], ids.length);
    await expectTrainable(trainableModel(model), probe, state.step);
    await saveTrainingCheckpoint(checkpoints, model, state, settings);
    saved = state.step;
  };
  const isDue = (step: number, every: number): boolean => step % every === 0 || step === iterations;
  if (state.step === 0 && evaluation) await evaluate(0);
  let nothingToLearn: string | undefined;
  try {
    await reinforce(model, text.tokenizer, state, {
      ...recipe,
      prompt,
      optimizer: { weightDecay: recipe.weightDecay },
      ...(signal && { signal }),
      onIteration: async ({ iteration, ...report }) => {
        run.onIteration?.({ iteration, ...report });
        await log("metrics", { step: iteration, ...report });
        if (evaluation && isDue(iteration, evaluation.every)) await evaluate(iteration);
        if (isDue(iteration, checkpointEvery)) await save();
      },
    });
  } catch (error) {
    if (!(error instanceof NothingToLearnError)) throw withWayOn(error, saved);
    nothingToLearn = error.message;
  }
  await save().catch((error: unknown) => {
    throw withWayOn(error, saved);
  });
  if (!signal?.aborted) {
    await saveFinished(join(directory, "model"), model, join(from, "tokenizer.json"));
  }
  return { iterations: state.step / updatesPerIteration, nothingToLearn };
}

/** Seed of the held-out problems: the same before and after. */
const evaluationSeed = 7;

async function heldOutAccuracy(
  bundle: ModelBundle,
  recipe: ReinforcementRecipe,
): Promise<Omit<HeldOutEvaluation, "step">> {
  const { maxNewTokens, thinkingBudget, maxDifficulty } = recipe;
  const answer = batchAnswerer(bundle, { maxNewTokens, thinkingBudget });
  const reply = async (prompt: string): Promise<string> => (await answer(prompt)).text;
  const options = { count: recipe.evaluation!.count, seed: evaluationSeed, maxDifficulty };
  const tasks: Record<string, number> = {};
  for (const { task } of recipeTasks(recipe)) {
    tasks[task.name] = (await evaluateTask(task, reply, options)).accuracy;
  }
  const all = Object.values(tasks);
  return { accuracy: all.reduce((sum, each) => sum + each, 0) / all.length, tasks };
}
