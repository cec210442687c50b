import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CausalLanguageModel, parseConfig } from "@levin/model";
import { loadModel, saveModel } from "@levin/model/node";
import { m1ChatTemplate, m1SpecialTokens, Tokenizer, trainTokenizer } from "@levin/tokenizer";
import {
  createAdamWState,
  createProgress,
  initialiseParameters,
  train,
  trainableModel,
  type AdamWState,
  type Progress,
  type StepReport,
} from "@levin/training";
import { loadTrainingCheckpoint, saveTrainingCheckpoint } from "@levin/training/node";
import { RecipeError, type Recipe } from "./recipe.ts";
import { stepExamples, tokenizerTexts } from "./task-examples.ts";

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
 * model (bfloat16, with tokenizer and chat template) is in `directory/model`.
 */
export async function runTraining({
  recipe,
  directory,
  from,
  onStep,
  signal,
}: TrainingRun): Promise<void> {
  if ((recipe.newModel === undefined) === (from === undefined)) {
    throw new RecipeError(
      "recipe: expected either newModel in the recipe or a trained model to start from (--from), " +
        `found ${from === undefined ? "neither" : "both"}`,
    );
  }
  await mkdir(directory, { recursive: true });
  const tokenizer = await ensureTokenizer(recipe, directory, from);
  const checkpoints = join(directory, "checkpoints");
  // More steps may be asked for later; anything else would make it another training.
  const { steps: _steps, ...settings } = recipe;
  const { model, state } =
    (await loadTrainingCheckpoint(checkpoints, settings)) ??
    (from === undefined ? newModel(recipe, tokenizer) : await trainedModel(from));
  const follow = createProgress(recipe.steps);
  await train(trainableModel(model), state, {
    schedule: {
      peak: recipe.learningRate,
      warmupSteps: recipe.warmupSteps,
      totalSteps: recipe.steps,
      floor: 0.02,
    },
    optimizer: { weightDecay: recipe.weightDecay },
    maxBatchTokens: recipe.maxBatchTokens,
    examples: (step) => stepExamples(recipe, tokenizer, step),
    onStep: async (report) => {
      onStep?.(report, follow(report));
      await appendFile(join(directory, "metrics.jsonl"), `${JSON.stringify(report)}\n`);
      if (report.step % recipe.checkpointEvery === 0 || report.step === recipe.steps) {
        await saveTrainingCheckpoint(checkpoints, model, state, settings);
      }
    },
    ...(signal && { signal }),
  });
  await saveFinished(join(directory, "model"), model, directory);
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
  if (given !== undefined && known === undefined) await writeFile(path, given);
  if (given !== undefined) return Tokenizer.fromJson(JSON.parse(given));
  const { vocabSize, sampleProblems } = recipe.newModel!.tokenizer;
  const file = trainTokenizer(tokenizerTexts(recipe, sampleProblems), {
    vocabSize,
    specialTokens: m1SpecialTokens,
  });
  await writeFile(path, JSON.stringify(file));
  return Tokenizer.fromJson(file);
}

interface Training {
  model: CausalLanguageModel;
  state: AdamWState;
}

async function trainedModel(directory: string): Promise<Training> {
  const model = await loadModel(directory, { trainable: true });
  return { model, state: createAdamWState(model.parameters) };
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

async function saveFinished(
  target: string,
  model: CausalLanguageModel,
  directory: string,
): Promise<void> {
  await saveModel(target, model, { type: "bfloat16" });
  await writeFile(
    join(target, "tokenizer.json"),
    await readFile(join(directory, "tokenizer.json"), "utf8"),
  );
  const settings = { chat_template: m1ChatTemplate, eos_token: "<end_of_sentence>" };
  await writeFile(join(target, "tokenizer_config.json"), `${JSON.stringify(settings, null, 2)}\n`);
}
