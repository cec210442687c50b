import type { ModelConfig } from "../config/model-config.ts";
import { CheckpointError, type ByteSource } from "./byte-source.ts";
import type { ElementType } from "./element-types.ts";
import { checkScales, quantizedShape } from "./quantized-tensors.ts";
import { readSafetensorsHeader, type TensorEntry } from "./safetensors-header.ts";
import { readTensor } from "./safetensors-reader.ts";
import { fileTensors, isRedundant, type FileTensor } from "./file-tensors.ts";
import { tensorShapes } from "./tensor-shapes.ts";

/** One weight by its name in the model: float32, or int32 blocks where the config says quantised. */
export interface Weight {
  name: string;
  shape: number[];
  values: Float32Array | Int32Array;
}

/** A checkpoint whose names, shapes and types have been checked. */
export interface Checkpoint {
  /** Names of weights in the order in which the shards hold them. */
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
  const shapes = tensorShapes(config);
  const known = new Map(
    (["fused", "published"] as const)
      .flatMap((naming) => fileTensors(config, naming))
      .map((tensor) => [tensor.name, tensor]),
  );
  const parts = new Map<string, { source: ByteSource; entry: TensorEntry; part: TensorEntry }>();
  const entries: TensorEntry[] = [];
  for (const source of shards) {
    for (const entry of await readSafetensorsHeader(source)) {
      if (isRedundant(entry.name)) continue;
      entries.push(entry);
      for (const part of partsOf(entry, known.get(entry.name), shapes, config)) {
        parts.set(part.name, { source, entry, part });
      }
    }
  }
  checkInventory(config, entries, known);
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

/** Where the model's own tensors stand in one of a file; the sizes of an entry are checked later. */
function partsOf(
  entry: TensorEntry,
  known: FileTensor | undefined,
  shapes: ReadonlyMap<string, number[]>,
  { quantization }: ModelConfig,
): TensorEntry[] {
  const names = known?.parts ?? [];
  const stored = names.map((name) => {
    const shape = shapes.get(name)!;
    return quantizedShape(name, shape, quantization) ?? shape;
  });
  const bytes = entry.byteLength / sum(stored.map(product));
  let offset = entry.offset;
  return names.map((name, i) => {
    const shape = stored[i]!;
    const part = { ...entry, name, shape, offset, byteLength: product(shape) * bytes };
    offset += part.byteLength;
    return part;
  });
}

function product(values: readonly number[]): number {
  return values.reduce((result, value) => result * value, 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
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

function checkInventory(
  config: ModelConfig,
  entries: readonly TensorEntry[],
  known: ReadonlyMap<string, FileTensor>,
): void {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const entry of entries) {
    const tensor = known.get(entry.name);
    const problem = tensor ? entryProblem(entry, config, tensor) : `unknown tensor ${entry.name}`;
    if (problem) problems.push(problem);
    for (const part of tensor?.parts ?? []) {
      if (seen.has(part)) problems.push(`${part} appears twice`);
      seen.add(part);
    }
  }
  for (const { name, parts } of fileTensors(config, "published")) {
    if (!parts.every((part) => seen.has(part))) problems.push(`missing tensor ${name}`);
  }
  if (problems.length > 0) {
    const rest = problems.length > listed ? ` and ${problems.length - listed} more` : "";
    const isUnsaid = !config.quantization && entries.some(({ type }) => type === "I32");
    const hint = isUnsaid ? " (quantised weights need quantization in config.json)" : "";
    throw new CheckpointError(`checkpoint: ${problems.slice(0, listed).join("; ")}${rest}${hint}`);
  }
}

function entryProblem(
  { name, shape, type }: TensorEntry,
  { quantization }: ModelConfig,
  tensor: FileTensor,
): string | undefined {
  const blocks = quantizedShape(tensor.parts[0]!, tensor.shape, quantization);
  const expected = blocks ?? tensor.shape;
  const isInteger = type.startsWith("I");
  if (blocks && type !== "I32") {
    return `${name}: expected ${quantization!.bits}-bit blocks as I32 [${blocks}], found ${type} [${shape}]`;
  }
  if (!blocks && isInteger) return `${name}: expected a float type, found ${type}`;
  return expected.join() === shape.join()
    ? undefined
    : `${name}: expected shape [${expected}], found [${shape}]`;
}
