import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { selectBackend } from "@levin/kernels/node";
import type { CausalLanguageModel } from "@levin/model";
import { loadModel } from "@levin/model/node";
import { sparkDirectory } from "@levin/spark";
import { encodeChat, m1ChatTemplate, Tokenizer } from "@levin/tokenizer";

/** The embedded model with its tokenizer, and a question in the form in which it was trained. */
export interface Spark {
  model: CausalLanguageModel;
  tokenizer: Tokenizer;
  prompt: (question: string) => number[];
}

/** Loads it on the wasm backend. */
export async function loadSpark(): Promise<Spark> {
  await selectBackend("wasm");
  const file = await readFile(new URL("tokenizer.json", sparkDirectory), "utf8");
  const tokenizer = Tokenizer.fromJson(JSON.parse(file));
  const prompt = (question: string): number[] =>
    encodeChat(tokenizer, [{ role: "user", content: question }], { template: m1ChatTemplate });
  return { model: await loadModel(fileURLToPath(sparkDirectory)), tokenizer, prompt };
}
