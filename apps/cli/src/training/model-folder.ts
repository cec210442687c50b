import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CausalLanguageModel } from "@levin/model";
import { loadModel, saveModel } from "@levin/model/node";
import { m1ChatTemplate } from "@levin/tokenizer";
import { createAdamWState, type AdamWState } from "@levin/training";
import { writeFolderWhole } from "./write-whole.ts";

/** A model and what its optimiser knows. */
export interface Training {
  model: CausalLanguageModel;
  state: AdamWState;
}

/** A trained model, to be trained further. */
export async function trainedModel(directory: string): Promise<Training> {
  const model = await loadModel(directory, { trainable: true });
  return { model, state: createAdamWState(model.parameters) };
}

/** Writes a model (bfloat16, with tokenizer and chat template) to be used by all other commands. */
export async function saveFinished(
  target: string,
  model: CausalLanguageModel,
  tokenizerFile: string,
): Promise<void> {
  const settings = { chat_template: m1ChatTemplate, eos_token: "<end_of_sentence>" };
  await writeFolderWhole(target, async (folder) => {
    await saveModel(folder, model, { type: "bfloat16" });
    await copyFile(tokenizerFile, join(folder, "tokenizer.json"));
    const text = `${JSON.stringify(settings, null, 2)}\n`;
    await writeFile(join(folder, "tokenizer_config.json"), text);
  });
}
