import type { ModelConfig } from "../config/model-config.ts";
import type { WeightType } from "./element-types.ts";
import { fusedNames } from "./tensor-names.ts";
import { tensorShapes } from "./tensor-shapes.ts";
import { tensorBytes, type TensorToWrite } from "./write-safetensors.ts";

/** Names on disk (`published`), or transformers' in-memory ones with fused experts (`fused`). */
export type NamingScheme = "published" | "fused";

/** Where the float32 values of an on-disk tensor come from. */
export type WeightReader = (name: string) => Float32Array | Promise<Float32Array>;

/** The tensors of a checkpoint in the wanted names and type. */
export function tensorsToWrite(
  config: ModelConfig,
  read: WeightReader,
  { type, naming }: { type: WeightType; naming: NamingScheme },
): TensorToWrite[] {
  const plain = [...tensorShapes(config)].map(([name, shape]): TensorToWrite => ({
    name,
    shape,
    // The published checkpoints keep router gates in float32.
    type: name.endsWith("block_sparse_moe.gate.weight") ? "float32" : type,
    values: () => read(name),
  }));
  if (naming === "published") return plain;
  const experts = /^model\.layers\.(\d+)\.block_sparse_moe\./;
  return [
    ...plain.filter(({ name }) => !experts.test(name)),
    ...config.layerTypes.flatMap((_, layer) => fusedTensors(config, layer, read, type)),
  ];
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
  const joined = async (parts: string[], size: number): Promise<Float32Array> => {
    const all = new Float32Array(numLocalExperts * parts.length * size);
    let offset = 0;
    for (let e = 0; e < numLocalExperts; e++) {
      for (const part of parts) {
        all.set(await read(`${block}.experts.${e}.${part}.weight`), offset);
        offset += size;
      }
    }
    return all;
  };
  const size = intermediateSize * hiddenSize;
  return [
    {
      name: names.router,
      shape: [numLocalExperts, hiddenSize],
      type: "float32",
      values: () => read(`${block}.gate.weight`),
    },
    {
      name: names.gateUp,
      shape: [numLocalExperts, 2 * intermediateSize, hiddenSize],
      type,
      values: () => joined(["w1", "w3"], size),
    },
    {
      name: names.down,
      shape: [numLocalExperts, hiddenSize, intermediateSize],
      type,
      values: () => joined(["w2"], size),
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
