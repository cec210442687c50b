import type { ModelConfig } from "../config/model-config.ts";
import { CheckpointError, type ByteSource } from "./byte-source.ts";
import type { ElementType } from "./element-types.ts";
import { checkScales, quantizedShape } from "./quantized-tensors.ts";
import { readSafetensorsHeader, type TensorEntry } from "./safetensors-header.ts";
import { readTensor } from "./safetensors-reader.ts";
import { expectedShape, isRedundant, onDiskNames, onDiskParts } from "./tensor-names.ts";
import { tensorShapes } from "./tensor-shapes.ts";

/** One weight by its on-disk name: float32, or int32 blocks where the config says quantised. */
export interface Weight {
  name: string;
  shape: number[];
  values: Float32Array | Int32Array;
}

/** A checkpoint whose names, shapes and types have been checked. */
export interface Checkpoint {
  /** On-disk names in the order in which the shards hold them. */
  readonly names: readonly string[];
  /** The type in which a weight is stored. */
  typeOf(name: string): ElementType;
  /** @throws CheckpointError when it has a NaN or infinite weight or scale, or the shard is too short */
  read(name: string): Promise<Weight>;
}

/** How many names a message lists before it only counts. */
const listed = 8;

/**
 * Finds the weights of a model in its shards.
 *
 * @throws CheckpointError listing missing, unknown, doubled and misshapen tensors
 */
export async function openCheckpoint(
  config: ModelConfig,
  shards: readonly ByteSource[],
): Promise<Checkpoint> {
  const parts = new Map<string, { source: ByteSource; entry: TensorEntry; part: TensorEntry }>();
  const entries: TensorEntry[] = [];
  for (const source of shards) {
    for (const entry of await readSafetensorsHeader(source)) {
      if (isRedundant(entry.name)) continue;
      entries.push(entry);
      for (const part of onDiskParts(entry, config)) parts.set(part.name, { source, entry, part });
    }
  }
  checkInventory(config, entries);
  return {
    names: [...parts.keys()],
    typeOf: (name) => parts.get(name)!.part.type,
    read: async (name) => {
      const { source, entry, part } = parts.get(name)!;
      const weight = await readTensor(source, part);
      checkNumbers(`${source.name}: ${entry.name}`, weight.values, config);
      return weight;
    },
  };
}

function checkNumbers(
  name: string,
  values: Float32Array | Int32Array,
  { quantization }: ModelConfig,
): void {
  if (values instanceof Int32Array) checkScales(name, values, quantization!);
  else if (!areFinite(values)) {
    throw new CheckpointError(`${name}: expected finite weights, found NaN or infinity`);
  }
}

/** `every` and iterators take ten times as long, seconds of a large model. */
function areFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

function checkInventory(config: ModelConfig, entries: readonly TensorEntry[]): void {
  const shapes = tensorShapes(config);
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const entry of entries) {
    const problem = entryProblem(entry, config, shapes);
    if (problem) problems.push(problem);
    for (const part of onDiskNames(entry.name, config)) {
      if (seen.has(part)) problems.push(`${part} appears twice`);
      seen.add(part);
    }
  }
  for (const name of shapes.keys()) if (!seen.has(name)) problems.push(`missing tensor ${name}`);
  if (problems.length > 0) {
    const rest = problems.length > listed ? ` and ${problems.length - listed} more` : "";
    const isUnsaid = !config.quantization && entries.some(({ type }) => type === "I32");
    const hint = isUnsaid ? " (quantised weights need quantization in config.json)" : "";
    throw new CheckpointError(`checkpoint: ${problems.slice(0, listed).join("; ")}${rest}${hint}`);
  }
}

function entryProblem(
  { name, shape, type }: TensorEntry,
  config: ModelConfig,
  shapes: ReadonlyMap<string, number[]>,
): string | undefined {
  const plain = expectedShape(name, config, shapes);
  if (!plain) return `unknown tensor ${name}`;
  const { quantization } = config;
  const blocks = quantizedShape(name, plain, quantization);
  const expected = blocks ?? plain;
  const isInteger = type.startsWith("I");
  if (blocks && type !== "I32") {
    return `${name}: expected ${quantization!.bits}-bit blocks as I32 [${blocks}], found ${type} [${shape}]`;
  }
  if (!blocks && isInteger) return `${name}: expected a float type, found ${type}`;
  return expected.join() === shape.join()
    ? undefined
    : `${name}: expected shape [${expected}], found [${shape}]`;
}
