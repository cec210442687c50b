import { basename, join, resolve } from "node:path";
import { exportGguf, readConfig, readJsonFile, type GgufType } from "@levin/model/node";
import { ggufVocabulary } from "@levin/tokenizer";
import { loadText } from "./load-bundle.ts";

/**
 * Writes a model directory as one GGUF file with tokenizer and chat template, for llama.cpp.
 *
 * @param type of the matrices; default: as they are stored
 * @returns the type that was written
 * @throws ConfigError, CheckpointError, TokenizerError
 */
export async function convertToGguf(
  source: string,
  output: string,
  type?: GgufType,
): Promise<GgufType> {
  const { vocabSize } = await readConfig(source);
  const { chatTemplate } = await loadText(source);
  const tokenizer = await readJsonFile(join(source, "tokenizer.json"));
  return exportGguf(source, output, {
    ...(type && { type }),
    metadata: {
      "general.name": basename(resolve(source)),
      ...ggufVocabulary(tokenizer, { vocabSize, chatTemplate }),
    },
  });
}
