import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { evaluationProblems } from "@levin/tasks";
import {
  batchExamples,
  expectTrainable,
  NothingToLearnError,
  reinforce,
  trainableModel,
  type IterationReport,
} from "@levin/training";
import {
  loadTrainingCheckpoint,
  saveParameters,
  saveTrainingCheckpoint,
} from "@levin/training/node";
import { accuracyOf, askProblems, type Accuracy, type JudgedReply } from "../ask-problems.ts";
import { loadText, type ModelBundle } from "../load-bundle.ts";
import { problemSamples, type Sample } from "../training/held-out-evaluation.ts";
import { saveFinished, trainedModel } from "../training/model-folder.ts";
import { openRunLog } from "../training/run-log.ts";
import { weightedTasks } from "../training/task-examples.ts";
import { withWayOn } from "../training/way-on.ts";
import { expectWritable } from "../training/write-whole.ts";
import type { Crew } from "../spread/crew.ts";
import { crewDrawing } from "./crew-drawing.ts";
import type { ReinforcementRecipe } from "./reinforcement-recipe.ts";
import { taskPrompts } from "./task-prompts.ts";

export interface ReinforcementRun {
  recipe: ReinforcementRecipe;
  /** Checkpoints, metrics and the finished model go here. */
  directory: string;
  /** The model to start from: one that solves some of the problems some of the time. */
  from: string;
  /** Who draws the answers; this process without. */
  crew?: Crew | undefined;
  onIteration?(report: IterationReport): void;
  onEvaluation?(step: number, accuracy: Accuracy, samples: readonly Sample[]): void;
  signal?: AbortSignal;
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
  const { recipe, directory, from, crew, signal } = run;
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
    const replies = await heldOutReplies({ ...text, model }, recipe);
    const accuracy = accuracyOf(replies);
    const samples = problemSamples(step, replies.slice(0, evaluation!.samples));
    for (const sample of samples) await log("samples", sample);
    await log("metrics", { step, ...accuracy });
    run.onEvaluation?.(step, accuracy, samples);
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
  const policies = join(directory, "policies");
  let written: string | undefined;
  const policy = async (): Promise<string> => {
    const file = join(policies, `step-${state.step}.safetensors`);
    if (file === written) return file;
    await rm(policies, { recursive: true, force: true });
    await mkdir(policies);
    await saveParameters(file, model);
    return (written = file);
  };
  let nothingToLearn: string | undefined;
  try {
    const teaching = reinforce(model, text.tokenizer, state, {
      ...recipe,
      prompt,
      ...(crew && { draw: crewDrawing(crew, policy) }),
      optimizer: { weightDecay: recipe.weightDecay },
      ...(signal && { signal }),
      onIteration: async ({ iteration, ...report }) => {
        run.onIteration?.({ iteration, ...report });
        await log("metrics", { step: iteration, ...report });
        if (evaluation && isDue(iteration, evaluation.every)) await evaluate(iteration);
        if (isDue(iteration, checkpointEvery)) await save();
      },
    });
    nothingToLearn = await teaching.then(() => undefined, messageOfNothingToLearn);
    await save();
  } catch (error) {
    throw withWayOn(error, saved);
  } finally {
    await rm(policies, { recursive: true, force: true });
  }
  if (!signal?.aborted) {
    await saveFinished(join(directory, "model"), model, join(from, "tokenizer.json"));
  }
  return { iterations: state.step / updatesPerIteration, nothingToLearn };
}

/** Why there is nothing left to learn; throws any other error. */
function messageOfNothingToLearn(error: unknown): string {
  if (error instanceof NothingToLearnError) return error.message;
  throw error;
}

/** Seed of the held-out problems: the same of all runs, so that they can be compared. */
const evaluationSeed = 7;

/** Greedy replies to held-out problems, within the limits of those that are drawn. */
function heldOutReplies(bundle: ModelBundle, recipe: ReinforcementRecipe): Promise<JudgedReply[]> {
  const { maxNewTokens, thinkingBudget, maxDifficulty, evaluation } = recipe;
  const count = evaluation!.problemsPerTask;
  const problems = weightedTasks(recipe).flatMap(({ task }) =>
    evaluationProblems(task, { count, seed: evaluationSeed, maxDifficulty }),
  );
  return askProblems(bundle, problems, { maxNewTokens, thinkingBudget });
}
