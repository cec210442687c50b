import type { ModelConfig } from "../config/model-config.ts";
import { CheckpointError, type ByteSource } from "./byte-source.ts";
import { readSafetensorsHeader, type TensorEntry } from "./safetensors-header.ts";
import { readTensor } from "./safetensors-reader.ts";
import { expectedShape, isRedundant, onDiskNames, toOnDisk } from "./tensor-names.ts";
import { tensorShapes } from "./tensor-shapes.ts";

/** One weight in float32, by its on-disk name. */
export interface Weight {
  name: string;
  shape: number[];
  values: Float32Array;
}

/** How many names a message lists before it only counts. */
const listed = 8;

/**
 * The weights of a model from its shards, one tensor at a time, so that memory stays near the
 * model's size. Names and shapes of all shards are checked before the first weight is read.
 *
 * @throws CheckpointError listing missing, unknown, doubled and misshapen tensors, or naming the
 *   tensor with a NaN or infinite weight
 */
export async function* readCheckpoint(
  config: ModelConfig,
  shards: readonly ByteSource[],
): AsyncGenerator<Weight> {
  const entries: { source: ByteSource; entry: TensorEntry }[] = [];
  for (const source of shards) {
    for (const entry of await readSafetensorsHeader(source)) {
      if (!isRedundant(entry.name)) entries.push({ source, entry });
    }
  }
  checkInventory(
    config,
    entries.map(({ entry }) => entry),
  );
  for (const { source, entry } of entries) {
    for (const part of toOnDisk(await readTensor(source, entry), config)) {
      if (!part.values.every(Number.isFinite)) {
        throw new CheckpointError(
          `${source.name}: ${entry.name}: expected finite weights, found NaN or infinity`,
        );
      }
      yield { ...part, values: part.values as Float32Array };
    }
  }
}

function checkInventory(config: ModelConfig, entries: readonly TensorEntry[]): void {
  const shapes = tensorShapes(config);
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { name, shape, type } of entries) {
    const expected = expectedShape(name, config, shapes);
    if (!expected) problems.push(`unknown tensor ${name}`);
    else if (expected.join() !== shape.join()) {
      problems.push(`${name}: expected shape [${expected}], found [${shape}]`);
    } else if (type.startsWith("I")) {
      problems.push(`${name}: expected a float type, found ${type}`);
    }
    for (const part of onDiskNames(name, config)) {
      if (seen.has(part)) problems.push(`${part} appears twice`);
      seen.add(part);
    }
  }
  for (const name of shapes.keys()) if (!seen.has(name)) problems.push(`missing tensor ${name}`);
  if (problems.length > 0) {
    const rest = problems.length > listed ? ` and ${problems.length - listed} more` : "";
    throw new CheckpointError(`checkpoint: ${problems.slice(0, listed).join("; ")}${rest}`);
  }
}
