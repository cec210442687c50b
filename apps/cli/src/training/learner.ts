import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CausalLanguageModel, parseConfig } from "@levin/model";
import { loadModel } from "@levin/model/node";
import { m1SpecialTokens, Tokenizer, trainTokenizer } from "@levin/tokenizer";
import {
  createAdamWState,
  createLora,
  initialiseParameters,
  loraModel,
  mergeLora,
  trainableModel,
  type AdamWState,
  type LoraAdapter,
  type Trainable,
} from "@levin/training";
import {
  loadLoraCheckpoint,
  loadTrainingCheckpoint,
  type TrainingSettings,
} from "@levin/training/node";
import { tokenizerTexts } from "./example-sources.ts";
import { trainedModel } from "./model-folder.ts";
import { RecipeError, type ContextStage, type Recipe } from "./recipe.ts";
import { writeFileWhole } from "./write-whole.ts";

/** A model in training, whole or by an adapter. */
export class Learner {
  readonly state: AdamWState;
  readonly adapter: LoraAdapter | undefined;
  #model: CausalLanguageModel;

  constructor(parts: { model: CausalLanguageModel; state: AdamWState; adapter?: LoraAdapter }) {
    this.#model = parts.model;
    this.state = parts.state;
    this.adapter = parts.adapter;
  }

  get config(): CausalLanguageModel["config"] {
    return this.#model.config;
  }

  /** What checkpoints keep. */
  get trained(): CausalLanguageModel | LoraAdapter {
    return this.adapter ?? this.#model;
  }

  get trainable(): Trainable {
    return this.adapter
      ? loraModel(this.#model, this.adapter, trainableModel)
      : trainableModel(this.#model);
  }

  /** Goes over to a stage of another context. */
  enter({ maxTokens, ropeTheta }: ContextStage): void {
    const config = { ...this.config };
    config.ropeTheta = ropeTheta ?? config.ropeTheta;
    config.maxPositionEmbeddings = Math.max(config.maxPositionEmbeddings, maxTokens);
    this.#model = new CausalLanguageModel(config, this.#model.parameters);
  }

  /** Does something with the model as it is now, an adapter folded into it. */
  async withModel<Result>(use: (model: CausalLanguageModel) => Promise<Result>): Promise<Result> {
    if (!this.adapter) return use(this.#model);
    const merged = mergeLora(this.#model, this.adapter);
    try {
      return await use(merged);
    } finally {
      merged.dispose();
    }
  }
}

/** The learner of the newest checkpoint, or a new one. */
export async function openLearner(
  recipe: Recipe,
  tokenizer: Tokenizer,
  options: { checkpoints: string; from: string | undefined; settings: TrainingSettings },
): Promise<Learner> {
  const { checkpoints, from, settings } = options;
  if (recipe.lora) {
    const model = await loadModel(from!);
    const found = await loadLoraCheckpoint(checkpoints, model, settings);
    if (found) return new Learner({ model, ...found });
    const { targets, ...size } = recipe.lora;
    const adapter = createLora(model, { ...size, ...(targets && { targets }), seed: recipe.seed });
    return new Learner({ model, adapter, state: createAdamWState(adapter.parameters) });
  }
  const found = await loadTrainingCheckpoint(checkpoints, settings);
  if (found) return new Learner(found);
  if (from !== undefined) return new Learner(await trainedModel(from));
  const model = newModel(recipe, tokenizer);
  return new Learner({ model, state: createAdamWState(model.parameters) });
}

/** The tokenizer of the run: that of the model to start from, or a new one. */
export async function ensureTokenizer(
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
  const file = trainTokenizer(await tokenizerTexts(recipe, sampleProblems), {
    vocabSize,
    specialTokens: m1SpecialTokens,
  });
  await writeFileWhole(path, JSON.stringify(file));
  return Tokenizer.fromJson(file);
}

function newModel(recipe: Recipe, tokenizer: Tokenizer): CausalLanguageModel {
  const config = parseConfig({
    ...recipe.newModel!.config,
    vocab_size: tokenizer.vocabSize,
    bos_token_id: tokenizer.tokenToId("<beginning_of_sentence>"),
    eos_token_id: tokenizer.tokenToId("<end_of_sentence>"),
  });
  return new CausalLanguageModel(config, initialiseParameters(config, recipe.seed));
}
