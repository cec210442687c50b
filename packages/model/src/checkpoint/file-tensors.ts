import type { Dialect } from "@levin/lightning-attention";
import type { ModelConfig } from "../config/model-config.ts";
import { tensorShapes } from "./tensor-shapes.ts";

/** Names as published (`published`), or with all experts of a layer in one tensor as in transformers 5 (`fused`). */
export type NamingScheme = "published" | "fused";

/** A tensor of a checkpoint's file: one of the model's own, or several of them one behind another. */
export interface FileTensor {
  name: string;
  shape: number[];
  /** Names of the model's own, as `tensorShapes` has them. */
  parts: string[];
}

/** Names in a file for names of ours: the first pattern that is found is replaced. */
type Renaming = readonly (readonly [ours: RegExp, theirs: string])[];

const minimax: Renaming = [];

/** Ring- and Ling-linear; their softmax layers keep queries, keys and values in one tensor. */
const ring: Renaming = [
  [/embed_tokens/, "word_embeddings"],
  [/self_attn\.(qkv|q|k|v)_proj/, "attention.query_key_value"],
  [/self_attn\.q_norm/, "attention.query_layernorm"],
  [/self_attn\.k_norm/, "attention.key_layernorm"],
  [/self_attn\.norm/, "attention.g_norm"],
  [/self_attn\.output_gate/, "attention.g_proj"],
  [/self_attn\.(out|o)_proj/, "attention.dense"],
  [/block_sparse_moe\.gate/, "mlp.gate"],
  [/block_sparse_moe\.experts\.(\d+)\.w1/, "mlp.experts.$1.gate_proj"],
  [/block_sparse_moe\.experts\.(\d+)\.w2/, "mlp.experts.$1.down_proj"],
  [/block_sparse_moe\.experts\.(\d+)\.w3/, "mlp.experts.$1.up_proj"],
  [/block_sparse_moe\.shared_expert\.w1/, "mlp.shared_experts.gate_proj"],
  [/block_sparse_moe\.shared_expert\.w2/, "mlp.shared_experts.down_proj"],
  [/block_sparse_moe\.shared_expert\.w3/, "mlp.shared_experts.up_proj"],
  [/mlp\.w1/, "mlp.gate_proj"],
  [/mlp\.w2/, "mlp.down_proj"],
  [/mlp\.w3/, "mlp.up_proj"],
];

/** TransNormerLLM; queries, keys, values and gate are one tensor. */
const transnormer: Renaming = [
  [/self_attn\.(qkv_proj|output_gate)/, "token_mixer.qkvu_proj"],
  [/self_attn\.(lrpe|out_proj)/, "token_mixer.$1"],
  [/mlp\.w1/, "channel_mixer.l1"],
  [/mlp\.w2/, "channel_mixer.l3"],
  [/mlp\.w3/, "channel_mixer.l2"],
];

const families: Record<Dialect, Renaming> = { hf: minimax, m1: minimax, ring, transnormer };

const fused: Renaming = [
  [/block_sparse_moe\.gate/, "mlp.gate"],
  [/block_sparse_moe\.experts\.\d+\.w[13]\.weight/, "mlp.experts.gate_up_proj"],
  [/block_sparse_moe\.experts\.\d+\.w2\.weight/, "mlp.experts.down_proj"],
];

/** The tensors of a checkpoint's files, in the order of the model's own. */
export function fileTensors(config: ModelConfig, naming: NamingScheme): FileTensor[] {
  const family = families[config.dialect];
  const renaming = naming === "fused" ? [...fused, ...family] : family;
  const tensors = new Map<string, FileTensor>();
  for (const [part, shape] of tensorShapes(config)) {
    const name = renamed(part, renaming);
    const tensor = tensors.get(name);
    if (tensor) {
      tensor.parts.push(part);
      tensor.shape[0]! += shape[0]!;
    } else tensors.set(name, { name, shape: [...shape], parts: [part] });
  }
  return [...tensors.values()].map((tensor) =>
    /\.experts\.(gate_up|down)_proj$/.test(tensor.name) ? byExpert(tensor, config) : tensor,
  );
}

function renamed(name: string, renaming: Renaming): string {
  const rule = renaming.find(([ours]) => ours.test(name));
  return rule ? name.replace(...rule) : name;
}

/** Fused experts have an axis of their own. */
function byExpert(tensor: FileTensor, { numLocalExperts }: ModelConfig): FileTensor {
  const [rows, columns] = tensor.shape as [number, number];
  return { ...tensor, shape: [numLocalExperts, rows / numLocalExperts, columns] };
}

/** Buffers that transformers stores and this model computes (SPEC section 11). */
const decayBuffer = /\.self_attn\.(slope_rate|query_decay|key_decay|diagonal_decay)$/;

/** True for a tensor of a file that carries nothing to load. */
export function isRedundant(name: string): boolean {
  return decayBuffer.test(name);
}
