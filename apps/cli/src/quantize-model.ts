import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ModelConfig } from "@levin/model";
import { quantizeCheckpoint, type QuantizeOptions } from "@levin/model/node";

/**
 * A copy of a model directory with its large matrices quantised, to talk to as to the model itself.
 *
 * @returns the config of the copy
 * @throws ConfigError, CheckpointError
 */
export async function quantizeModel(
  source: string,
  output: string,
  options: QuantizeOptions,
): Promise<ModelConfig> {
  const config = await quantizeCheckpoint(source, output, options);
  const settings = /^(tokenizer|special_tokens|added_tokens|chat_template|generation_config|vocab)/;
  for (const name of await readdir(source)) {
    if (settings.test(name)) await copyFile(join(source, name), join(output, name));
  }
  return config;
}
