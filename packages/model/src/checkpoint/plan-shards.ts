import type { ModelConfig } from "../config/model-config.ts";
import type { WeightType } from "./element-types.ts";
import { quantizedShape } from "./quantized-tensors.ts";
import { fusedNames } from "./tensor-names.ts";
import { tensorShapes } from "./tensor-shapes.ts";
import { tensorBytes, type TensorToWrite, type TensorValues } from "./write-safetensors.ts";

/** Names on disk (`published`), or transformers' in-memory ones with fused experts (`fused`). */
export type NamingScheme = "published" | "fused";

/** Where the values of an on-disk tensor come from: int32 blocks where the config says quantised. */
export type WeightReader = (name: string) => TensorValues | Promise<TensorValues>;

/** The tensors of a checkpoint in the wanted names and type. */
export function tensorsToWrite(
  config: ModelConfig,
  read: WeightReader,
  { type, naming }: { type: WeightType; naming: NamingScheme },
): TensorToWrite[] {
  const plain = [...tensorShapes(config)].map(([name, shape]): TensorToWrite => ({
    name,
    // The published checkpoints keep router gates in float32.
    ...stored(
      config,
      name,
      shape,
      name.endsWith("block_sparse_moe.gate.weight") ? "float32" : type,
    ),
    values: () => read(name),
  }));
  if (naming === "published") return plain;
  const experts = /^model\.layers\.(\d+)\.block_sparse_moe\./;
  return [
    ...plain.filter(({ name }) => !experts.test(name)),
    ...config.layerTypes.flatMap((_, layer) => fusedTensors(config, layer, read, type)),
  ];
}

/** Shape and type in which a tensor is written. */
function stored(
  { quantization }: ModelConfig,
  name: string,
  shape: number[],
  type: WeightType,
): Pick<TensorToWrite, "shape" | "type"> {
  const blocks = quantizedShape(name, shape, quantization);
  return blocks ? { shape: blocks, type: "int32" } : { shape, type };
}

function fusedTensors(
  config: ModelConfig,
  layer: number,
  read: WeightReader,
  type: WeightType,
): TensorToWrite[] {
  const { numLocalExperts, intermediateSize, hiddenSize } = config;
  const names = fusedNames(layer);
  const block = `model.layers.${layer}.block_sparse_moe`;
  const joined = async (parts: string[]): Promise<TensorValues> => {
    const experts: TensorValues[] = [];
    for (let e = 0; e < numLocalExperts; e++) {
      for (const part of parts) experts.push(await read(`${block}.experts.${e}.${part}.weight`));
    }
    const size = experts.reduce((sum, { length }) => sum + length, 0);
    const all = experts[0] instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
    let offset = 0;
    for (const values of experts) {
      all.set(values, offset);
      offset += values.length;
    }
    return all;
  };
  const tall = [numLocalExperts, 2 * intermediateSize, hiddenSize];
  const wide = [numLocalExperts, hiddenSize, intermediateSize];
  return [
    {
      name: names.router,
      shape: [numLocalExperts, hiddenSize],
      type: "float32",
      values: () => read(`${block}.gate.weight`),
    },
    {
      name: names.gateUp,
      ...stored(config, names.gateUp, tall, type),
      values: () => joined(["w1", "w3"]),
    },
    {
      name: names.down,
      ...stored(config, names.down, wide, type),
      values: () => joined(["w2"]),
    },
  ];
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
