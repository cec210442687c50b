import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selectBackend } from "@levin/kernels/node";
import type { CausalLanguageModel } from "@levin/model";
import { loadForGeneration, readJsonFile, type StagedModel } from "@levin/model/node";
import { sparkDirectory } from "@levin/spark";
import { m1ChatTemplate, Tokenizer } from "@levin/tokenizer";

/** A model with all that is needed to talk to it. */
export interface ModelBundle {
  model: CausalLanguageModel | StagedModel;
  tokenizer: Tokenizer;
  chatTemplate: string;
}

/** The model directory of an option, or that of spark. */
export function modelDirectory(option: string | undefined): string {
  return option ?? fileURLToPath(sparkDirectory);
}

/** Loads model, tokenizer and chat template of a directory onto a backend. */
export async function loadBundle(options: {
  model?: string;
  backend: string;
  stages?: number;
}): Promise<ModelBundle> {
  await selectBackend(options.backend, { otherwise: console.error });
  const directory = modelDirectory(options.model);
  return {
    ...(await loadText(directory)),
    model: await loadForGeneration(directory, options),
  };
}

/** Tokenizer and chat template of a model directory. */
export async function loadText(directory: string): Promise<Omit<ModelBundle, "model">> {
  const settings = await readJsonFile(join(directory, "tokenizer_config.json"), {});
  const { chat_template: chatTemplate = m1ChatTemplate } = (settings ?? {}) as {
    chat_template?: string;
  };
  return {
    tokenizer: Tokenizer.fromJson(await readJsonFile(join(directory, "tokenizer.json"))),
    chatTemplate,
  };
}
