import type { ModelConfig } from "../config/model-config.ts";
import type { WeightType } from "./element-types.ts";
import { fileTensors, type FileTensor, type NamingScheme } from "./file-tensors.ts";
import { quantizedShape } from "./quantized-tensors.ts";
import { isRouter } from "./tensor-shapes.ts";
import { tensorBytes, type TensorToWrite, type TensorValues } from "./write-safetensors.ts";

/** Where the values of a tensor of the model come from: int32 blocks where the config says quantised. */
export type WeightReader = (name: string) => TensorValues | Promise<TensorValues>;

/** The tensors of a checkpoint in the wanted names and type. */
export function tensorsToWrite(
  config: ModelConfig,
  read: WeightReader,
  { type, naming }: { type: WeightType; naming: NamingScheme },
): TensorToWrite[] {
  return fileTensors(config, naming).map((tensor) => ({
    name: tensor.name,
    ...stored(config, tensor, type),
    values: () => joined(tensor.parts, read),
  }));
}

/** Shape and type in which a tensor is written. */
function stored(
  { quantization }: ModelConfig,
  { shape, parts: [first] }: FileTensor,
  type: WeightType,
): Pick<TensorToWrite, "shape" | "type"> {
  const blocks = quantizedShape(first!, shape, quantization);
  if (blocks) return { shape: blocks, type: "int32" };
  return { shape, type: isRouter(first!) ? "float32" : type };
}

async function joined(names: readonly string[], read: WeightReader): Promise<TensorValues> {
  const parts: TensorValues[] = [];
  for (const name of names) parts.push(await read(name));
  if (parts.length === 1) return parts[0]!;
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const all = parts[0] instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
  let offset = 0;
  for (const values of parts) {
    all.set(values, offset);
    offset += values.length;
  }
  return all;
}

/** Tensors in order, split so that no shard exceeds `maxBytes` unless one tensor alone does. */
export function planShards(tensors: readonly TensorToWrite[], maxBytes: number): TensorToWrite[][] {
  const shards: TensorToWrite[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const size = tensorBytes(tensor);
    if (shards.length === 0 || size > room) {
      shards.push([]);
      room = maxBytes;
    }
    shards.at(-1)!.push(tensor);
    room -= size;
  }
  return shards;
}
