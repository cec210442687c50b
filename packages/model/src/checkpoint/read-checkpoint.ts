import type { ModelConfig } from "../config/model-config.ts";
import type { ByteSource } from "./byte-source.ts";
import { openCheckpoint, type Weight } from "./open-checkpoint.ts";

/**
 * The weights of a model from its shards, one tensor at a time, so that memory stays near the
 * model's size. Names and shapes of all shards are checked before the first weight is read.
 *
 * @param names those to read; default: all
 * @throws CheckpointError listing missing, unknown, doubled and misshapen tensors, or naming the
 *   tensor with a NaN or infinite weight
 */
export async function* readCheckpoint(
  config: ModelConfig,
  shards: readonly ByteSource[],
  names?: ReadonlySet<string>,
): AsyncGenerator<Weight> {
  const checkpoint = await openCheckpoint(config, shards);
  for (const name of checkpoint.names) {
    if (names?.has(name) ?? true) yield checkpoint.read(name);
  }
}
