import { parseConfig, type ModelConfig } from "@levin/model";
import { endToken, vocabSize } from "./peer-tokenizer.ts";

/** The models of tooling/bench/bench_torch.py, by their number of parameters. */
const sizes = {
  "25M": { hidden: 256, intermediate: 384, heads: 4 },
  "100M": { hidden: 512, intermediate: 832, heads: 8 },
  "410M": { hidden: 2048, intermediate: 768, heads: 16 },
} as const;

export type PeerSize = keyof typeof sizes;
export const peerSizes = Object.keys(sizes) as PeerSize[];

/** The 7:1 hybrid of a size in the form of config.json: 8 layers, 8 experts of which 2 are computed. */
export function peerConfigJson(size: PeerSize): Record<string, unknown> {
  const { hidden, intermediate, heads } = sizes[size];
  return {
    model_type: "minimax",
    vocab_size: vocabSize,
    eos_token_id: endToken,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: 8,
    num_attention_heads: heads,
    num_key_value_heads: 2,
    head_dim: 64,
    num_local_experts: 8,
    num_experts_per_tok: 2,
    layer_types: Array.from({ length: 8 }, (_, i) =>
      i === 7 ? "full_attention" : "linear_attention",
    ),
    block_size: 256,
    max_position_embeddings: 65536,
    full_attn_alpha_factor: 2,
    linear_attn_alpha_factor: 2,
    mlp_alpha_factor: 2,
  };
}

export function peerConfig(size: PeerSize): ModelConfig {
  return parseConfig(peerConfigJson(size));
}
