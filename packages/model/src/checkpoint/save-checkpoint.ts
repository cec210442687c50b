import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ModelConfig } from "../config/model-config.ts";
import { toConfigJson } from "../config/to-config-json.ts";
import { configFile, indexFile, singleFile } from "./checkpoint-files.ts";
import type { WeightType } from "./element-types.ts";
import type { NamingScheme } from "./file-tensors.ts";
import { planShards, tensorsToWrite, type WeightReader } from "./plan-shards.ts";
import { safetensorsChunks, tensorBytes, type TensorToWrite } from "./write-safetensors.ts";
import { writeWhole } from "./write-whole.ts";

/** How to write a checkpoint. */
export interface SaveOptions {
  config: ModelConfig;
  /** Values of a tensor by its name in the model; called once per tensor. */
  read: WeightReader;
  /** Default float32; router gates always stay float32. */
  type?: WeightType;
  /** Default `published`. */
  naming?: NamingScheme;
  /** Default 4 GiB. */
  maxShardBytes?: number;
}

/**
 * Writes `config.json` and the weights; each file appears only when it is whole. Weight files of an
 * earlier checkpoint in the same directory are removed last, as they would be read instead.
 *
 * @throws CheckpointError when `read` gives a tensor of another size
 */
export async function saveCheckpoint(directory: string, options: SaveOptions): Promise<void> {
  const { config, read, type = "float32", naming = "published" } = options;
  const { maxShardBytes = 4 * 2 ** 30 } = options;
  await mkdir(directory, { recursive: true });
  const shards = planShards(tensorsToWrite(config, read, { type, naming }), maxShardBytes);
  const names = shards.map((_, i) => shardName(i + 1, shards.length));
  for (const [i, shard] of shards.entries()) {
    await writeSafetensorsFile(join(directory, names[i]!), shard);
  }
  if (shards.length > 1) {
    await writeJson(join(directory, indexFile), shardIndex(shards, names));
    names.push(indexFile);
  }
  await writeJson(join(directory, configFile), toConfigJson(config));
  await removeOthers(directory, names);
}

function shardName(number: number, count: number): string {
  const digits = (n: number): string => String(n).padStart(5, "0");
  return count === 1 ? singleFile : `model-${digits(number)}-of-${digits(count)}.safetensors`;
}

function shardIndex(shards: TensorToWrite[][], names: string[]): unknown {
  const placed = shards.flatMap((shard, i) => shard.map(({ name }) => [name, names[i]!]));
  const total = shards.flat().reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  return { metadata: { total_size: total }, weight_map: Object.fromEntries(placed) };
}

async function removeOthers(directory: string, written: readonly string[]): Promise<void> {
  const isWeights = /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/;
  for (const name of await readdir(directory)) {
    if (isWeights.test(name) && !written.includes(name)) await rm(join(directory, name));
  }
}

/** Writes one safetensors file under a temporary name and renames it when it is on disk. */
export async function writeSafetensorsFile(
  path: string,
  tensors: readonly TensorToWrite[],
): Promise<void> {
  await writeWhole(path, safetensorsChunks(tensors));
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeWhole(path, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)]);
}
