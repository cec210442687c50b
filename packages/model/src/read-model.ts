import * as tf from "@tensorflow/tfjs-core";
import { CausalLanguageModel } from "./causal-language-model.ts";
import type { ByteSource } from "./checkpoint/byte-source.ts";
import { readCheckpoint } from "./checkpoint/read-checkpoint.ts";
import type { ModelConfig } from "./config/model-config.ts";

/**
 * The model in the shards of a checkpoint, on the current tfjs backend; works in browsers too.
 *
 * @throws CheckpointError
 */
export async function readModel(
  config: ModelConfig,
  shards: readonly ByteSource[],
): Promise<CausalLanguageModel> {
  return new CausalLanguageModel(config, await readParameters(config, shards));
}

/**
 * The tensors of a checkpoint on the current tfjs backend, by their on-disk names.
 *
 * @param names those to load; default: all
 * @throws CheckpointError
 */
export async function readParameters(
  config: ModelConfig,
  shards: readonly ByteSource[],
  names?: ReadonlySet<string>,
): Promise<Map<string, tf.Tensor>> {
  const parameters = new Map<string, tf.Tensor>();
  try {
    for await (const { name, shape, values } of readCheckpoint(config, shards, names)) {
      const dtype = values instanceof Int32Array ? "int32" : "float32";
      parameters.set(name, tf.tensor(values, shape, dtype));
    }
  } catch (error) {
    for (const tensor of parameters.values()) tensor.dispose();
    throw error;
  }
  return parameters;
}
