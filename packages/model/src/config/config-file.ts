import { z } from "zod";

const size = z.number().int().positive();
const finite = z.number();
const tokenId = z.number().int().nonnegative();
const factor = finite.optional();
const absent = (why: string) =>
  z.unknown().refine((value) => value === null || value === undefined, `expected null: ${why}`);

/** Keys that both dialects share. */
const shared = {
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullable().default(8),
  head_dim: size.nullish(),
  num_local_experts: size.default(8),
  num_experts_per_tok: size.default(2),
  intermediate_size: size.default(14336),
  rms_norm_eps: finite.nonnegative().default(1e-5),
  router_aux_loss_coef: finite.default(0.001),
  max_position_embeddings: size.default(4096 * 32),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.literal("silu").default("silu"),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
  pad_token_id: tokenId.nullish(),
  sliding_window: absent("sliding-window attention is not part of this family").optional(),
  rope_scaling: absent("scaled rotary embedding is not supported").optional(),
};

const rope = z
  .object({
    rope_theta: finite.positive().optional(),
    rope_type: z.literal("default").optional(),
  })
  .loose();

/** Configuration of transformers' `MiniMaxForCausalLM`. */
export const hfConfigFile = z.object({
  ...shared,
  model_type: z.literal("minimax"),
  layer_types: z.array(z.enum(["linear_attention", "full_attention"])).nullish(),
  block_size: size.default(256),
  rope_parameters: rope.nullish(),
  rope_theta: finite.positive().optional(),
  partial_rotary_factor: z.unknown().optional(),
  rotary_dim: z.unknown().optional(),
  linear_attn_alpha_factor: factor,
  linear_attn_beta_factor: factor,
  full_attn_alpha_factor: factor,
  full_attn_beta_factor: factor,
  mlp_alpha_factor: factor,
  mlp_beta_factor: factor,
});

const noSharedExpert = (value: number | number[]): boolean => [value].flat().every((n) => n === 0);

/** Configuration of MiniMax-AI's own code (M1 and Text-01). */
export const m1ConfigFile = z.object({
  ...shared,
  model_type: z.enum(["minimax_m1", "minimax_text_01"]),
  attn_type_list: z.array(z.union([z.literal(0), z.literal(1)])),
  postnorm: z.boolean().default(false),
  rope_theta: finite.positive().default(1e6),
  rotary_dim: size.nullish(),
  layernorm_linear_attention_alpha: factor,
  layernorm_linear_attention_beta: factor,
  layernorm_full_attention_alpha: factor,
  layernorm_full_attention_beta: factor,
  layernorm_mlp_alpha: factor,
  layernorm_mlp_beta: factor,
  shared_intermediate_size: z
    .union([z.number().int(), z.array(z.number().int())])
    .default(0)
    .refine(noSharedExpert, "expected 0: no published checkpoint has a shared expert"),
});

export type HfConfigFile = z.infer<typeof hfConfigFile>;
export type M1ConfigFile = z.infer<typeof m1ConfigFile>;
