import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CausalLanguageModel, parseConfig } from "@levin/model";
import { m1SpecialTokens, Tokenizer, trainTokenizer } from "@levin/tokenizer";
import {
  batchExamples,
  createAdamWState,
  createProgress,
  DivergedError,
  expectTrainable,
  initialiseParameters,
  train,
  trainableModel,
  type Example,
  type Progress,
  type StepReport,
} from "@levin/training";
import { loadTrainingCheckpoint, saveTrainingCheckpoint } from "@levin/training/node";
import { saveFinished, trainedModel, type Training } from "./model-folder.ts";
import { RecipeError, type Recipe } from "./recipe.ts";
import { openRunLog } from "./run-log.ts";
import { stepExamples, tokenizerTexts } from "./task-examples.ts";
import { expectWritable, writeFileWhole } from "./write-whole.ts";

export interface TrainingRun {
  recipe: Recipe;
  /** Checkpoints, metrics and the finished model go here. */
  directory: string;
  /** A trained model's directory to start from; the recipe then names no new model. */
  from?: string | undefined;
  onStep?: (report: StepReport, progress: Progress) => void;
  signal?: AbortSignal;
}

/**
 * Trains by a recipe, or goes on where an earlier run in the same directory stopped. The finished
 * model (bfloat16, with tokenizer and chat template) is in `directory/model`; a run that was aborted
 * leaves a checkpoint instead.
 *
 * @returns the steps done
 */
export async function runTraining({
  recipe,
  directory,
  from,
  onStep,
  signal,
}: TrainingRun): Promise<number> {
  if ((recipe.newModel === undefined) === (from === undefined)) {
    throw new RecipeError(
      "recipe: expected either newModel in the recipe or a trained model to start from (--from), " +
        `found ${from === undefined ? "neither" : "both"}`,
    );
  }
  await expectWritable(directory, () => mkdir(directory, { recursive: true }));
  const tokenizer = await ensureTokenizer(recipe, directory, from);
  const checkpoints = join(directory, "checkpoints");
  // These may be changed on the way, the learning rate after a divergence; anything else would make
  // it another training.
  const { steps: _steps, learningRate: _rate, checkpointEvery: _every, ...settings } = recipe;
  const { model, state } =
    (await loadTrainingCheckpoint(checkpoints, settings)) ??
    (from === undefined ? newModel(recipe, tokenizer) : await trainedModel(from));
  const trainable = trainableModel(model);
  const follow = createProgress(recipe.steps);
  const log = await openRunLog(directory, state.step);
  const examples = (step: number): Example[] => stepExamples(recipe, tokenizer, step);
  let saved = state.step;
  const save = async (): Promise<void> => {
    if (saved === state.step) return;
    const next = batchExamples(examples(state.step).slice(0, 4), recipe.maxBatchTokens);
    await expectTrainable(trainable, next, state.step);
    await saveTrainingCheckpoint(checkpoints, model, state, settings);
    saved = state.step;
  };
  const training = train(trainable, state, {
    schedule: {
      peak: recipe.learningRate,
      warmupSteps: recipe.warmupSteps,
      totalSteps: recipe.steps,
      floor: 0.02,
    },
    optimizer: { weightDecay: recipe.weightDecay },
    maxBatchTokens: recipe.maxBatchTokens,
    examples,
    onStep: async (report) => {
      onStep?.(report, follow(report));
      await log("metrics", report);
      if (report.step % recipe.checkpointEvery === 0) await save();
    },
    ...(signal && { signal }),
  });
  try {
    await training;
    await save();
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    const kept = saved === 0 ? "start again" : `the checkpoint of step ${saved} is kept: go on`;
    throw new DivergedError(`${error.message}; ${kept} with a lower learningRate`, {
      cause: error,
    });
  }
  if (state.step >= recipe.steps) {
    await saveFinished(join(directory, "model"), model, join(directory, "tokenizer.json"));
  }
  return state.step;
}

async function ensureTokenizer(
  recipe: Recipe,
  directory: string,
  from: string | undefined,
): Promise<Tokenizer> {
  const path = join(directory, "tokenizer.json");
  const known = await readFile(path, "utf8").catch(() => undefined);
  const given = from === undefined ? known : await readFile(join(from, "tokenizer.json"), "utf8");
  if (known !== undefined && known !== given) {
    throw new RecipeError(
      `${directory}: expected a training that began from ${from}, found one with another tokenizer`,
    );
  }
  if (given !== undefined && known === undefined) await writeFileWhole(path, given);
  if (given !== undefined) return Tokenizer.fromJson(JSON.parse(given));
  const { vocabSize, sampleProblems } = recipe.newModel!.tokenizer;
  const file = trainTokenizer(tokenizerTexts(recipe, sampleProblems), {
    vocabSize,
    specialTokens: m1SpecialTokens,
  });
  await writeFileWhole(path, JSON.stringify(file));
  return Tokenizer.fromJson(file);
}

function newModel(recipe: Recipe, tokenizer: Tokenizer): Training {
  const config = parseConfig({
    ...recipe.newModel!.config,
    vocab_size: tokenizer.vocabSize,
    bos_token_id: tokenizer.tokenToId("<beginning_of_sentence>"),
    eos_token_id: tokenizer.tokenToId("<end_of_sentence>"),
  });
  const parameters = initialiseParameters(config, recipe.seed);
  return {
    model: new CausalLanguageModel(config, parameters),
    state: createAdamWState(parameters),
  };
}
