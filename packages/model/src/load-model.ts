import * as tf from "@tensorflow/tfjs-core";
import { CausalLanguageModel } from "./causal-language-model.ts";
import { readConfig, weightFiles } from "./checkpoint/checkpoint-files.ts";
import { CheckpointError } from "./checkpoint/byte-source.ts";
import { openFiles } from "./checkpoint/file-source.ts";
import { saveCheckpoint, type SaveOptions } from "./checkpoint/save-checkpoint.ts";
import type { ModelConfig } from "./config/model-config.ts";
import { readParameters } from "./read-model.ts";

/**
 * Loads a model directory (`config.json` and safetensors) onto the current tfjs backend.
 *
 * Quantised weights stay quantised.
 *
 * @throws ConfigError, CheckpointError
 */
export async function loadModel(
  directory: string,
  {
    trainable = false,
  }: {
    /** Makes the parameters variables, which quantised ones can't be. */
    trainable?: boolean;
  } = {},
): Promise<CausalLanguageModel> {
  const config = await readConfig(directory);
  if (trainable && config.quantization) {
    throw new CheckpointError(
      `${directory}: expected float weights to train, found ${config.quantization.bits}-bit ones`,
    );
  }
  const parameters = await loadParameters(directory, config);
  if (trainable) {
    for (const [name, tensor] of parameters) parameters.set(name, toVariable(tensor));
  }
  return new CausalLanguageModel(config, parameters);
}

/**
 * The tensors of a model directory on the current tfjs backend, by their on-disk names.
 *
 * @param names those to load; default: all
 * @throws CheckpointError
 */
export async function loadParameters(
  directory: string,
  config: ModelConfig,
  names?: ReadonlySet<string>,
): Promise<Map<string, tf.Tensor>> {
  const shards = await openFiles(await weightFiles(directory));
  try {
    return await readParameters(config, shards, names);
  } finally {
    await Promise.all(shards.map((shard) => shard.close()));
  }
}

function toVariable(tensor: tf.Tensor): tf.Variable {
  const variable = tf.variable(tensor);
  tensor.dispose();
  return variable;
}

/** Writes a model's config and weights to a directory. */
export async function saveModel(
  directory: string,
  model: CausalLanguageModel,
  options: Omit<SaveOptions, "config" | "read"> = {},
): Promise<void> {
  await saveCheckpoint(directory, {
    ...options,
    config: model.config,
    read: async (name) => (await model.parameters.get(name)!.data()) as Float32Array | Int32Array,
  });
}
