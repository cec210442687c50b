import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError, type CausalLanguageModel } from "@levin/model";
import { readSafetensorsFile, writeSafetensorsFile } from "@levin/model/node";
import * as tf from "@tensorflow/tfjs-core";
import { float32Tensors } from "../parameter-files.ts";
import { toVariable } from "./create-lora.ts";
import { LoraAdapter, LoraError } from "./lora-adapter.ts";
import { expectFits } from "./lora-shapes.ts";

const configFile = "adapter_config.json";
const weightsFile = "adapter_model.safetensors";
/** PEFT names the factors after the module that it wraps the model in. */
const prefix = "base_model.model.";

/** What an adapter of PEFT may ask for, beside its size, and must not here. */
const plain: Readonly<Record<string, unknown>> = {
  peft_type: "LORA",
  bias: "none",
  use_rslora: false,
  use_dora: false,
  fan_in_fan_out: false,
};

/**
 * Writes an adapter in the layout of PEFT: `adapter_model.safetensors` and `adapter_config.json`. Each
 * file appears only when it is whole.
 */
export async function saveLora(
  directory: string,
  adapter: LoraAdapter,
  {
    baseModel,
  }: {
    /** Name or path of the model that it changes, for the reader of the config. */
    baseModel?: string;
  } = {},
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeSafetensorsFile(
    join(directory, weightsFile),
    float32Tensors(adapter.parameters, prefix),
  );
  const config = {
    ...plain,
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseModel ?? null,
    r: adapter.rank,
    lora_alpha: adapter.alpha,
    lora_dropout: 0,
    target_modules: adapter.modules,
    inference_mode: true,
  };
  const temporary = join(directory, `${configFile}.tmp`);
  await writeFile(temporary, `${JSON.stringify(config, null, 2)}\n`);
  await rename(temporary, join(directory, configFile));
}

/**
 * Reads an adapter of PEFT or {@link saveLora} for a model. The caller disposes of it.
 *
 * @throws LoraError when it is no plain LoRA or does not fit the model, CheckpointError when its
 *   weights can't be read
 */
export async function loadLora(
  directory: string,
  model: CausalLanguageModel,
): Promise<LoraAdapter> {
  const { rank, alpha } = await readLoraConfig(join(directory, configFile));
  const path = join(directory, weightsFile);
  const parameters = new Map<string, tf.Variable>();
  const adapter = new LoraAdapter({ rank, alpha, parameters });
  try {
    for (const { name, shape, values } of (await readSafetensorsFile(path)).values()) {
      const factor = name.startsWith(prefix) && /\.lora_[AB]\.weight$/.test(name);
      if (!factor || !(values instanceof Float32Array)) {
        throw new CheckpointError(`${path}: expected float factors of LoRA, found ${name}`);
      }
      parameters.set(name.slice(prefix.length), toVariable(tf.tensor(values, shape)));
    }
    expectFits(model, adapter);
  } catch (error) {
    adapter.dispose();
    throw error;
  }
  return adapter;
}

async function readLoraConfig(path: string): Promise<{ rank: number; alpha: number }> {
  let config: Record<string, unknown>;
  try {
    config = (JSON.parse(await readFile(path, "utf8")) ?? {}) as typeof config;
  } catch (error) {
    throw new LoraError(`${path}: ${(error as Error).message}`, { cause: error });
  }
  const wrong = (key: string, expected: string): LoraError =>
    new LoraError(`${path}: expected ${key} ${expected}, found ${JSON.stringify(config[key])}`);
  for (const [key, expected] of Object.entries(plain)) {
    if ((config[key] ?? expected) !== expected) throw wrong(key, JSON.stringify(expected));
  }
  for (const key of ["rank_pattern", "alpha_pattern"]) {
    if (Object.keys(config[key] ?? {}).length > 0) throw wrong(key, "of none");
  }
  const { r: rank, lora_alpha: alpha } = config;
  if (!Number.isInteger(rank) || (rank as number) < 1) throw wrong("r", "a whole number ≥ 1");
  if (typeof alpha !== "number" || alpha <= 0) throw wrong("lora_alpha", "a number > 0");
  return { rank: rank as number, alpha };
}
