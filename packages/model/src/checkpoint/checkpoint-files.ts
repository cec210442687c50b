import { open, readFile, rename, rm, stat, writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ModelConfig } from "../config/model-config.ts";
import { parseConfig } from "../config/parse-config.ts";
import { toConfigJson } from "../config/to-config-json.ts";
import { CheckpointError, type ByteSource } from "./byte-source.ts";
import type { WeightType } from "./element-types.ts";
import { planShards, tensorsToWrite, type NamingScheme, type WeightReader } from "./plan-shards.ts";
import { readSafetensors, type NamedArray } from "./safetensors-reader.ts";
import { safetensorsChunks, tensorBytes, type TensorToWrite } from "./write-safetensors.ts";

const singleFile = "model.safetensors";
const indexFile = "model.safetensors.index.json";

/** A file as a byte source; call `close` when done. */
export async function fileSource(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const handle = await open(path).catch((error: unknown) => {
    throw new CheckpointError(`${path}: ${(error as Error).message}`, { cause: error });
  });
  const { size } = await handle.stat();
  return {
    name: path,
    byteLength: size,
    read: async (offset, length) => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await handle.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    },
    close: () => handle.close(),
  };
}

/** All tensors of one safetensors file, by name. */
export async function readSafetensorsFile(path: string): Promise<Map<string, NamedArray>> {
  const source = await fileSource(path);
  try {
    const tensors = new Map<string, NamedArray>();
    for await (const tensor of readSafetensors(source)) tensors.set(tensor.name, tensor);
    return tensors;
  } finally {
    await source.close();
  }
}

/** Reads and checks `config.json` of a model directory. */
export async function readConfig(directory: string): Promise<ModelConfig> {
  return parseConfig(await readJson(join(directory, "config.json")));
}

/** Paths of the weight files of a model directory: one file, or those of the index. */
export async function weightFiles(directory: string): Promise<string[]> {
  const single = join(directory, singleFile);
  if (await exists(single)) return [single];
  const index = join(directory, indexFile);
  if (!(await exists(index))) {
    throw new CheckpointError(
      `${directory}: expected ${singleFile} or ${indexFile}, found neither`,
    );
  }
  const { weight_map: map } = (await readJson(index)) as { weight_map?: unknown };
  const names =
    typeof map === "object" && map !== null ? [...new Set(Object.values(map) as unknown[])] : [];
  const isPlain = (name: unknown): boolean =>
    typeof name === "string" && !/[/\\]|^\.\.?$/.test(name);
  if (names.length === 0 || !names.every(isPlain)) {
    throw new CheckpointError(`${index}: expected weight_map to name files of this directory`);
  }
  return names.map((name) => join(directory, name as string));
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new CheckpointError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** How to write a checkpoint. */
export interface SaveOptions {
  config: ModelConfig;
  /** Values of an on-disk tensor name; called once per tensor. */
  read: WeightReader;
  /** Default float32; router gates always stay float32. */
  type?: WeightType;
  /** Default `published`. */
  naming?: NamingScheme;
  /** Default 4 GiB. */
  maxShardBytes?: number;
}

/** Writes `config.json` and the weights; each file appears only when it is whole. */
export async function saveCheckpoint(directory: string, options: SaveOptions): Promise<void> {
  const { config, read, type = "float32", naming = "published" } = options;
  const { maxShardBytes = 4 * 2 ** 30 } = options;
  await mkdir(directory, { recursive: true });
  const shards = planShards(tensorsToWrite(config, read, { type, naming }), maxShardBytes);
  const count = String(shards.length).padStart(5, "0");
  const weightMap: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    const number = String(i + 1).padStart(5, "0");
    const name = shards.length === 1 ? singleFile : `model-${number}-of-${count}.safetensors`;
    await writeSafetensorsFile(join(directory, name), shard);
    for (const tensor of shard) weightMap[tensor.name] = name;
  }
  if (shards.length > 1) {
    const total = shards.flat().reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    const index = { metadata: { total_size: total }, weight_map: weightMap };
    await writeFile(join(directory, indexFile), JSON.stringify(index, null, 2));
  }
  const json = JSON.stringify(toConfigJson(config), null, 2);
  await writeFile(join(directory, "config.json"), `${json}\n`);
}

/** Writes one safetensors file under a temporary name and renames it when it is on disk. */
export async function writeSafetensorsFile(
  path: string,
  tensors: readonly TensorToWrite[],
): Promise<void> {
  const temporary = `${path}.tmp`;
  const handle = await open(temporary, "w");
  try {
    for await (const chunk of safetensorsChunks(tensors)) await handle.writeFile(chunk);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await handle.close();
  await rename(temporary, path);
}
