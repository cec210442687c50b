import { quantizedBlockSize } from "@levin/kernels";
import * as z from "zod";

const size = z.number().int().positive();
const finite = z.number();
const tokenId = z.number().int().nonnegative();
const factor = finite.optional();
/** No published model comes near; a list of this length per wrong digit must not fill the memory. */
const count = size.max(10_000);
const absent = (why: string) => z.undefined(`expected null: ${why}`).optional();

const rope = z
  .object({
    rope_theta: finite.positive().nullish(),
    rope_type: z.literal("default").nullish(),
    // The name of rope_type in older files.
    type: z.literal("default").nullish(),
  })
  .loose();

const noSharedExpert = (value: number | number[]): boolean => [value].flat().every((n) => n === 0);

/** Keys of every family; a null is taken out before, as if the key were absent. */
const general = {
  vocab_size: size,
  bos_token_id: tokenId.optional(),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).optional(),
  pad_token_id: tokenId.optional(),
  quantization_config: absent("weights quantised by other programs are not supported"),
  // Ours; see checkpoint/quantized-tensors.ts.
  quantization: z
    .strictObject({
      bits: z.union([z.literal(8), z.literal(4)]),
      block_size: z.literal(quantizedBlockSize),
    })
    .optional(),
};

/** Keys of hybrids with softmax layers. */
const hybrid = {
  ...general,
  hidden_size: size,
  num_hidden_layers: count,
  num_attention_heads: size,
  head_dim: size.optional(),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.literal("silu").default("silu"),
  rope_parameters: rope.optional(),
  // Where older files have it.
  rope_theta: finite.positive().optional(),
  attention_bias: z.literal(false).optional(),
  sliding_window: absent("sliding-window attention is not part of this family"),
  rope_scaling: absent("scaled rotary embedding is not supported"),
};

/** Keys of both dialects of MiniMax. */
const minimax = {
  ...hybrid,
  num_key_value_heads: size.nullable().default(8),
  num_local_experts: count.default(8),
  num_experts_per_tok: size.default(2),
  intermediate_size: size.default(14336),
  rms_norm_eps: finite.nonnegative().default(1e-5),
  router_aux_loss_coef: finite.default(0.001),
  max_position_embeddings: size.default(4096 * 32),
  shared_intermediate_size: z
    .union([z.number().int(), z.array(z.number().int())])
    .default(0)
    .refine(noSharedExpert, "expected 0: no published checkpoint has a shared expert"),
};

/** Configuration of transformers' `MiniMaxForCausalLM`. */
export const hfConfigFile = z.object({
  ...minimax,
  model_type: z.literal("minimax"),
  layer_types: z.array(z.enum(["linear_attention", "full_attention"])).optional(),
  block_size: size.default(256),
  // Published files carry it over from M1; transformers knows no other placement.
  postnorm: z.literal(true).optional(),
  partial_rotary_factor: z.unknown().optional(),
  rotary_dim: z.unknown().optional(),
  linear_attn_alpha_factor: factor,
  linear_attn_beta_factor: factor,
  full_attn_alpha_factor: factor,
  full_attn_beta_factor: factor,
  mlp_alpha_factor: factor,
  mlp_beta_factor: factor,
});

/** Names of MiniMax-AI's own code; the last is that of Text-01's configuration class. */
export const m1ModelTypes = ["minimax_m1", "minimax_text_01", "MiniMaxText01"] as const;

/** Configuration of MiniMax-AI's own code (M1 and Text-01). */
export const m1ConfigFile = z.object({
  ...minimax,
  model_type: z.enum(m1ModelTypes),
  attn_type_list: z.array(z.union([z.literal(0), z.literal(1)])),
  postnorm: z.boolean().default(false),
  rotary_dim: size.optional(),
  layernorm_linear_attention_alpha: factor,
  layernorm_linear_attention_beta: factor,
  layernorm_full_attention_alpha: factor,
  layernorm_full_attention_beta: factor,
  layernorm_mlp_alpha: factor,
  layernorm_mlp_beta: factor,
});

const only = <T extends boolean | number | string>(value: T, why: string) =>
  z.literal(value, `expected ${JSON.stringify(value)}: ${why}`).default(value);

/** Configuration of Ring-linear-2.0 and Ling-linear-2.0; defaults are those of their class. */
export const ringConfigFile = z.object({
  ...hybrid,
  model_type: z.literal("bailing_moe_linear"),
  num_key_value_heads: size.nullable().default(4),
  num_experts: count.default(256),
  num_experts_per_tok: size.default(8),
  num_shared_experts: z.number().int().nonnegative().default(1),
  intermediate_size: size.default(5120),
  moe_intermediate_size: size.default(512),
  moe_shared_expert_intermediate_size: size.optional(),
  first_k_dense_replace: z.number().int().nonnegative().default(1),
  n_group: size.default(8),
  topk_group: size.default(4),
  routed_scaling_factor: finite.positive().default(1),
  layer_group_size: size.default(5),
  group_norm_size: size.default(4),
  partial_rotary_factor: finite.positive().max(1).default(0.5),
  linear_silu: z.boolean().default(false),
  use_qk_norm: z.boolean().default(true),
  rms_norm_eps: finite.nonnegative().default(1e-6),
  max_position_embeddings: size.default(32768),
  router_aux_loss_coef: finite.default(0),
  score_function: only("sigmoid", "experts are scored by a sigmoid in this family"),
  norm_topk_prob: only(true, "weights of experts are brought to a constant sum in this family"),
  moe_router_enable_expert_bias: only(true, "the router has a bias in this family"),
  use_rmsnorm: only(true, "norms are RMS norms in this family"),
  use_bias: only(false, "biases are not supported"),
  use_qkv_bias: only(false, "biases are not supported"),
  num_nextn_predict_layers: only(0, "layers that predict further tokens are not supported"),
  kv_lora_rank: absent("multi-head latent attention is not supported"),
});

/** Configuration of TransNormerLLM; defaults are those of its class. */
export const transnormerConfigFile = z.object({
  ...general,
  vocab_size: size.default(64000),
  model_type: z.literal("transnormer"),
  decoder_embed_dim: size.default(1024),
  decoder_layers: count.default(24),
  decoder_attention_heads: size.default(8),
  hidden_dim: size.default(1024),
  glu_dim: z.union([size, z.literal(-1)]).default(2816),
  linear_use_lrpe_list: z.array(z.union([z.literal(0), z.literal(1), z.boolean()])).default([]),
  no_scale_embedding: z.boolean().default(false),
  // What transformers assumes.
  tie_word_embeddings: z.boolean().default(true),
  // No key of the published files: linear attention has no limit of its own.
  max_position_embeddings: size.default(8192),
  norm_type: only("simplermsnorm", "other norms are not supported"),
  linear_act_fun: only("silu", "other activations are not supported"),
  bias: only(false, "biases are not supported"),
});

export type TransnormerConfigFile = z.infer<typeof transnormerConfigFile>;

/** What the files of hybrids have. */
export type HybridConfigFile = HfConfigFile | M1ConfigFile | RingConfigFile;

export type RingConfigFile = z.infer<typeof ringConfigFile>;
export type HfConfigFile = z.infer<typeof hfConfigFile>;
export type M1ConfigFile = z.infer<typeof m1ConfigFile>;
