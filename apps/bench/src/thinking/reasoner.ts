import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CausalLanguageModel } from "@levin/model";
import { loadModel } from "@levin/model/node";
import { sparkDirectory } from "@levin/spark";
import { encodeChat, m1ChatTemplate, Tokenizer } from "@levin/tokenizer";

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
  const from = directory ?? fileURLToPath(sparkDirectory);
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(from, name), "utf8"));
  const tokenizer = Tokenizer.fromJson(await json("tokenizer.json"));
  const settings = (await json("tokenizer_config.json").catch(() => ({}))) as {
    chat_template?: string;
  };
  const template = settings.chat_template ?? m1ChatTemplate;
  return {
    name: directory === undefined ? "spark" : basename(directory),
    model: await loadModel(from),
    tokenizer,
    encodePrompt: (content) => encodeChat(tokenizer, [{ role: "user", content }], { template }),
  };
}
