import type { ModelConfig } from "../config/model-config.ts";
import type { TensorEntry } from "./safetensors-header.ts";

/** Buffers that transformers stores and this model computes (SPEC section 11). */
const decayBuffer = /\.self_attn\.(slope_rate|query_decay|key_decay|diagonal_decay)$/;

/** True for a tensor that carries nothing to load. */
export function isRedundant(name: string): boolean {
  return decayBuffer.test(name);
}

const router = /^(model\.layers\.\d+)\.mlp\.gate\.weight$/;
const fused = /^(model\.layers\.\d+)\.mlp\.experts\.(gate_up_proj|down_proj)$/;

/** The on-disk names that a tensor name, on-disk or in-memory, stands for. */
export function onDiskNames(name: string, config: ModelConfig): string[] {
  const gate = router.exec(name);
  if (gate) return [`${gate[1]}.block_sparse_moe.gate.weight`];
  const experts = fused.exec(name);
  if (!experts) return [name];
  const parts = experts[2] === "down_proj" ? ["w2"] : ["w1", "w3"];
  return Array.from({ length: config.numLocalExperts }, (_, e) =>
    parts.map((part) => expertName(experts[1]!, e, part)),
  ).flat();
}

/** Shape that a tensor of this name must have, or undefined for an unknown name. */
export function expectedShape(
  name: string,
  config: ModelConfig,
  shapes: ReadonlyMap<string, number[]>,
): number[] | undefined {
  const experts = fused.exec(name);
  const { numLocalExperts, intermediateSize, hiddenSize } = config;
  const first = shapes.get(onDiskNames(name, config)[0]!);
  if (!experts || !first) return first;
  return experts[2] === "down_proj"
    ? [numLocalExperts, hiddenSize, intermediateSize]
    : [numLocalExperts, 2 * intermediateSize, hiddenSize];
}

/** Where the on-disk tensors of an entry stand: the parts of a fused in-memory tensor, or itself. */
export function onDiskParts(entry: TensorEntry, config: ModelConfig): TensorEntry[] {
  const { name, shape, type, offset, byteLength } = entry;
  const names = onDiskNames(name, config);
  if (!fused.test(name)) return [{ ...entry, name: names[0]! }];
  const rows = (shape[0]! * shape[1]!) / names.length;
  const size = byteLength / names.length;
  return names.map((part, i) => ({
    name: part,
    type,
    shape: [rows, shape[2]!],
    offset: offset + i * size,
    byteLength: size,
  }));
}

/** In-memory names of transformers 5 for a layer's mixture: fused tensors of all experts. */
export function fusedNames(layer: number): { router: string; gateUp: string; down: string } {
  const prefix = `model.layers.${layer}.mlp`;
  return {
    router: `${prefix}.gate.weight`,
    gateUp: `${prefix}.experts.gate_up_proj`,
    down: `${prefix}.experts.down_proj`,
  };
}

function expertName(layer: string, expert: number, part: string): string {
  return `${layer}.block_sparse_moe.experts.${expert}.${part}.weight`;
}
