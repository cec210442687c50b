import * as tf from "@tensorflow/tfjs-core";
import { CausalLanguageModel } from "./causal-language-model.ts";
import { readConfig, weightFiles } from "./checkpoint/checkpoint-files.ts";
import { CheckpointError } from "./checkpoint/byte-source.ts";
import { openFiles } from "./checkpoint/file-source.ts";
import { readCheckpoint } from "./checkpoint/read-checkpoint.ts";
import { saveCheckpoint, type SaveOptions } from "./checkpoint/save-checkpoint.ts";

/**
 * Loads a model directory (`config.json` and safetensors) onto the current tfjs backend.
 *
 * Quantised weights stay quantised.
 *
 * @param options.trainable makes the parameters variables, which quantised ones can't be
 * @throws ConfigError, CheckpointError
 */
export async function loadModel(
  directory: string,
  { trainable = false }: { trainable?: boolean } = {},
): Promise<CausalLanguageModel> {
  const config = await readConfig(directory);
  if (trainable && config.quantization) {
    throw new CheckpointError(
      `${directory}: expected float weights to train, found ${config.quantization.bits}-bit ones`,
    );
  }
  const shards = await openFiles(await weightFiles(directory));
  const parameters = new Map<string, tf.Tensor>();
  try {
    for await (const { name, shape, values } of readCheckpoint(config, shards)) {
      const tensor = tf.tensor(values, shape, values instanceof Int32Array ? "int32" : "float32");
      parameters.set(name, trainable ? toVariable(tensor) : tensor);
    }
  } catch (error) {
    for (const tensor of parameters.values()) tensor.dispose();
    throw error;
  } finally {
    await Promise.all(shards.map((shard) => shard.close()));
  }
  return new CausalLanguageModel(config, parameters);
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
