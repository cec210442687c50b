import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ModelConfig } from "../config/model-config.ts";
import { parseConfig } from "../config/parse-config.ts";
import { CheckpointError } from "./byte-source.ts";
import { readJsonFile } from "./read-json-file.ts";

/** Names of a model directory's files, as Hugging Face has them. */
export const configFile = "config.json";
export const singleFile = "model.safetensors";
export const indexFile = "model.safetensors.index.json";

/** Where chat models name tokens that end an answer, beside those of `config.json`. */
const generationFile = "generation_config.json";

/** Reads and checks `config.json` of a model directory, with the end tokens of `generation_config.json`. */
export async function readConfig(directory: string): Promise<ModelConfig> {
  const file = await readJsonFile(join(directory, configFile));
  const generation = join(directory, generationFile);
  if (!(await exists(generation))) return parseConfig(file);
  const { eos_token_id: added } = ((await readJsonFile(generation)) ?? {}) as {
    eos_token_id?: unknown;
  };
  return parseConfig(withEndTokens(file, added));
}

function withEndTokens(file: unknown, added: unknown): unknown {
  if (typeof file !== "object" || file === null) return file;
  const { eos_token_id: own } = file as { eos_token_id?: unknown };
  const all = [...new Set([own ?? [], added ?? []].flat())];
  return all.length === 0 ? file : { ...file, eos_token_id: all };
}

/** Paths of the weight files of a model directory: one file, or those of the index. */
export async function weightFiles(directory: string): Promise<string[]> {
  const single = join(directory, singleFile);
  if (await exists(single)) return [single];
  const index = join(directory, indexFile);
  if (!(await exists(index))) {
    throw new CheckpointError(
      `${directory}: expected ${singleFile} or ${indexFile}, found neither`,
    );
  }
  const { weight_map: map } = ((await readJsonFile(index)) ?? {}) as { weight_map?: unknown };
  const names =
    typeof map === "object" && map !== null ? [...new Set(Object.values(map) as unknown[])] : [];
  const isPlain = (name: unknown): boolean =>
    typeof name === "string" && !/[/\\\0]|^\.{0,2}$/.test(name);
  if (names.length === 0 || !names.every(isPlain)) {
    throw new CheckpointError(
      `${index}: expected weight_map to name files of this directory, ` +
        `found ${JSON.stringify(names.find((name) => !isPlain(name)) ?? map)}`,
    );
  }
  return names.map((name) => join(directory, name as string));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
