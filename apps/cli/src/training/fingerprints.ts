import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { RecipeError, type Recipe } from "./recipe.ts";

/**
 * SHA-256 of what a training reads again when it goes on, by what it is: the weights that an adapter
 * adapts, and each dataset and task of one's own. Where they differ, it would be another training.
 *
 * @throws RecipeError when a file can't be read
 */
export async function fingerprints(
  { lora, sources }: Recipe,
  from: string | undefined,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  if (lora && from !== undefined) found["base model"] = await hashOf(await modelFiles(from));
  const paths = [...(sources.tasks?.taskFiles ?? []), ...sources.datasets.map(({ path }) => path)];
  for (const path of paths) found[`contents of ${path}`] = await hashOf([path]);
  return found;
}

/** Config and weights of a model directory. */
async function modelFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => name === "config.json" || name.endsWith(".safetensors"))
    .toSorted()
    .map((name) => join(directory, name));
}

/** What decides replies beside config and weights: tokenizer, chat template and end tokens. */
const replyFiles = ["tokenizer.json", "tokenizer_config.json", "generation_config.json"];

/** SHA-256 of all that decides what a model directory replies. */
export async function hashOfModel(directory: string): Promise<string> {
  const others = replyFiles.map((name) => join(directory, name)).filter((path) => existsSync(path));
  return hashOf([...(await modelFiles(directory)), ...others]);
}

/** SHA-256 of files' contents, the first 16 hexadecimal digits: enough to tell files apart, and to be read. */
export async function hashOf(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    try {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    } catch (error) {
      throw new RecipeError(`${path}: can't be read: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  return hash.digest("hex").slice(0, 16);
}
