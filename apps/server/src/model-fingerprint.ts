import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * What a model can be known by: SHA-256 over its config, tokenizer and weights. Token ids and states
 * have a meaning for models of the same fingerprint alone.
 */
export async function modelFingerprint(directory: string): Promise<string> {
  const files = (await readdir(directory))
    .filter((name) => name.endsWith(".safetensors") || names.has(name))
    .toSorted();
  const hash = createHash("sha256");
  for (const name of files) {
    const path = join(directory, name);
    hash.update(`${name} ${(await stat(path)).size}\n`);
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
      hash.update(chunk as Buffer);
    }
  }
  return hash.digest("hex");
}

const names = new Set(["config.json", "tokenizer.json"]);
