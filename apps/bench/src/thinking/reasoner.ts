import { basename } from "node:path";
import { loadText, modelDirectory } from "@levin/cli";
import type { CausalLanguageModel } from "@levin/model";
import { loadModel } from "@levin/model/node";
import { encodeChat, type Tokenizer } from "@levin/tokenizer";

/** A model that can be asked. */
export interface Reasoner {
  name: string;
  model: CausalLanguageModel;
  tokenizer: Tokenizer;
  /** Tokens of a question in the model's chat template. */
  encodePrompt: (question: string) => number[];
}

/** Loads model, tokenizer and chat template of a directory (spark's unless told otherwise). */
export async function loadReasoner(directory?: string): Promise<Reasoner> {
  const from = modelDirectory(directory);
  const { tokenizer, chatTemplate: template } = await loadText(from);
  return {
    name: directory === undefined ? "spark" : basename(directory),
    model: await loadModel(from),
    tokenizer,
    encodePrompt: (content) => encodeChat(tokenizer, [{ role: "user", content }], { template }),
  };
}
