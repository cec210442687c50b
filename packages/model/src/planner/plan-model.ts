import { quantizedBlockSize, type QuantizedBits } from "@levin/kernels";
import { quantizedShape } from "../checkpoint/quantized-tensors.ts";
import { isRouter, tensorShapes } from "../checkpoint/tensor-shapes.ts";
import type { LayerType, ModelConfig } from "../config/model-config.ts";
import { stateHeads } from "../config/state-heads.ts";

/** What a model costs, from its config alone. */
export interface ModelPlan {
  /** `active`: computed for each token, without embedding and head, as published figures count. */
  parameters: { total: number; active: number; byPart: Record<string, number> };
  /**
   * Bytes of all weights on disk; router gates are float32 in every type, as published. int8 and int4
   * are the large matrices with their scales, the rest is bfloat16.
   */
  weightBytes: Record<StoredType, number>;
  /** Bits of the config's own quantisation, or null. */
  quantizedBits: QuantizedBits | null;
  state: {
    /** Bytes of all lightning layers for one sequence, float32, whatever its length. */
    lightningBytes: number;
    /** Bytes that each token adds in all softmax layers, bfloat16. */
    cacheBytesPerToken: number;
  };
  contexts: ContextPlan[];
}

/** Types that the weights of a model can be stored in. */
export type StoredType = "float32" | "bfloat16" | "int8" | "int4";

/** Cost at one context length. */
export interface ContextPlan {
  length: number;
  /** Bytes of the state of one sequence. */
  stateBytes: number;
  /** Multiply-adds times two, for one more token at this context. */
  flopsPerToken: number;
  /** The same for a twin in which every layer is softmax attention. */
  softmaxTwinFlopsPerToken: number;
  softmaxTwinStateBytes: number;
}

/** Parameters, memory and FLOPs of a model of any of these families, full-size M1 included. */
export function planModel(
  config: ModelConfig,
  contextLengths: readonly number[] = [1024, 8192, 65_536, 131_072, 1_048_576],
): ModelPlan {
  const byPart = countParameters(config);
  const total = sum(Object.values(byPart));
  const experts = byPart["experts"] ?? 0;
  const outside = (byPart["embedding"] ?? 0) + (byPart["head"] ?? 0);
  const active = total - outside - experts * (1 - chosenShare(config));
  const twin = softmaxTwin(config);
  return {
    parameters: { total, active, byPart },
    weightBytes: weightBytes(config),
    quantizedBits: config.quantization?.bits ?? null,
    state: { lightningBytes: stateBytes(config, 0), cacheBytesPerToken: cachePerToken(config) },
    contexts: contextLengths.map((length) => ({
      length,
      stateBytes: stateBytes(config, length),
      flopsPerToken: flopsPerToken(config, length),
      softmaxTwinFlopsPerToken: flopsPerToken(twin, length),
      softmaxTwinStateBytes: stateBytes(twin, length),
    })),
  };
}

/** The same model with softmax attention in every layer. */
export function softmaxTwin(config: ModelConfig): ModelConfig {
  return { ...config, layerTypes: config.layerTypes.map((): LayerType => "softmax") };
}

const parts: [name: string, pattern: RegExp][] = [
  ["embedding", /embed_tokens/],
  ["head", /lm_head/],
  ["attention", /self_attn/],
  ["routers", /block_sparse_moe\.gate/],
  ["experts", /\.experts\./],
  ["shared", /shared_expert/],
  ["dense", /\.mlp\./],
  ["norms", /norm/],
];

function countParameters(config: ModelConfig): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, shape] of tensorShapes(config)) {
    const part = parts.find(([, pattern]) => pattern.test(name))![0];
    counts[part] = (counts[part] ?? 0) + product(shape);
  }
  return counts;
}

function weightBytes(config: ModelConfig): ModelPlan["weightBytes"] {
  const bytes = { float32: 0, bfloat16: 0, int8: 0, int4: 0 };
  for (const [name, shape] of tensorShapes(config)) {
    const size = product(shape);
    const half = isRouter(name) ? 4 * size : 2 * size;
    const quantized = (bits: QuantizedBits): number => {
      const words = quantizedShape(name, shape, { bits, blockSize: quantizedBlockSize });
      return words ? 4 * product(words) : half;
    };
    bytes.float32 += 4 * size;
    bytes.bfloat16 += half;
    bytes.int8 += quantized(8);
    bytes.int4 += quantized(4);
  }
  return bytes;
}

/** Two FLOPs for each matrix weight that a token passes, and those of attention over its past. */
function flopsPerToken(config: ModelConfig, length: number): number {
  const { numAttentionHeads: heads, headDim, hiddenSize } = config;
  const byPart = countParameters(config);
  const head = config.vocabSize * hiddenSize;
  const always = ["attention", "routers", "shared", "dense"];
  const passed = sum(always.map((part) => byPart[part] ?? 0));
  const weights = head + passed + (byPart["experts"] ?? 0) * chosenShare(config);
  // Lightning: update k vᵀ and read q S, each headDim². Softmax: q kᵀ and p v, each length · headDim.
  const lightning = 2 * 2 * matrices(config) * headDim * headDim;
  const softmax = 2 * 2 * heads * headDim * length;
  return 2 * weights + lightning + count(config, "softmax") * softmax;
}

/** The part of its experts that a token passes. */
function chosenShare({ numExpertsPerTok, numLocalExperts }: ModelConfig): number {
  return numLocalExperts === 0 ? 0 : numExpertsPerTok / numLocalExperts;
}

/** Of all lightning layers' states. */
function matrices(config: ModelConfig): number {
  return sum(
    config.layerTypes.map((type, i) => (type === "lightning" ? stateHeads(config, i) : 0)),
  );
}

function stateBytes(config: ModelConfig, length: number): number {
  const matrix = config.headDim ** 2 * Float32Array.BYTES_PER_ELEMENT;
  return matrices(config) * matrix + length * cachePerToken(config);
}

/** Keys and values of one token in bfloat16. */
function cachePerToken(config: ModelConfig): number {
  return count(config, "softmax") * 2 * config.numKeyValueHeads * config.headDim * 2;
}

function count(config: ModelConfig, type: LayerType): number {
  return config.layerTypes.filter((other) => other === type).length;
}

function product(values: readonly number[]): number {
  return values.reduce((result, value) => result * value, 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
