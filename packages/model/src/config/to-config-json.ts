import type { Dialect } from "@levin/lightning-attention";
import type { ModelConfig } from "./model-config.ts";

/** The `config.json` of a configuration, in its own dialect; `parseConfig` reads it back. */
export function toConfigJson(config: ModelConfig): Record<string, unknown> {
  return {
    model_type: config.modelType,
    vocab_size: config.vocabSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    tie_word_embeddings: config.tieWordEmbeddings,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
    pad_token_id: config.padTokenId,
    ...(config.quantization && {
      quantization: {
        bits: config.quantization.bits,
        block_size: config.quantization.blockSize,
      },
    }),
    ...writers[config.dialect](config),
  };
}

/** Keys of hybrids with softmax layers. */
function hybridKeys(config: Omit<ModelConfig, "alphaBeta">): Record<string, unknown> {
  return {
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    num_experts_per_tok: config.numExpertsPerTok,
    rms_norm_eps: config.rmsNormEps,
    router_aux_loss_coef: config.routerAuxLossCoef,
    hidden_act: "silu",
  };
}

/** The keys that only one dialect has. */
const writers: Record<Dialect, (config: ModelConfig) => Record<string, unknown>> = {
  hf: ({ alphaBeta: { lightning, softmax, moe }, ...config }) => ({
    architectures: ["MiniMaxForCausalLM"],
    ...hybridKeys(config),
    ...expertSizes(config),
    layer_types: config.layerTypes.map((type) =>
      type === "softmax" ? "full_attention" : "linear_attention",
    ),
    block_size: config.blockSize,
    rope_parameters: { rope_theta: config.ropeTheta, rope_type: "default" },
    linear_attn_alpha_factor: lightning.alpha,
    linear_attn_beta_factor: lightning.beta,
    full_attn_alpha_factor: softmax.alpha,
    full_attn_beta_factor: softmax.beta,
    mlp_alpha_factor: moe.alpha,
    mlp_beta_factor: moe.beta,
  }),
  m1: ({ alphaBeta: { lightning, softmax, moe }, ...config }) => ({
    architectures: ["MiniMaxM1ForCausalLM"],
    ...hybridKeys(config),
    ...expertSizes(config),
    attn_type_list: config.layerTypes.map((type) => (type === "softmax" ? 1 : 0)),
    postnorm: config.postnorm,
    rope_theta: config.ropeTheta,
    rotary_dim: config.rotaryDim,
    layernorm_linear_attention_alpha: lightning.alpha,
    layernorm_linear_attention_beta: lightning.beta,
    layernorm_full_attention_alpha: softmax.alpha,
    layernorm_full_attention_beta: softmax.beta,
    layernorm_mlp_alpha: moe.alpha,
    layernorm_mlp_beta: moe.beta,
    shared_intermediate_size: 0,
  }),
  ring: ringKeys,
  transnormer: transnormerKeys,
};

function expertSizes({
  numLocalExperts,
  intermediateSize,
}: Pick<ModelConfig, "numLocalExperts" | "intermediateSize">): Record<string, unknown> {
  return { num_local_experts: numLocalExperts, intermediate_size: intermediateSize };
}

function ringKeys(config: ModelConfig): Record<string, unknown> {
  const { layerTypes, lightning, routing, dense, sharedIntermediateSize } = config;
  const firstSoftmax = layerTypes.indexOf("softmax");
  return {
    architectures: ["BailingMoeLinearV2ForCausalLM"],
    ...hybridKeys(config),
    num_experts: config.numLocalExperts,
    moe_intermediate_size: config.intermediateSize,
    intermediate_size: dense!.intermediateSize,
    first_k_dense_replace: dense!.layers,
    num_shared_experts: sharedIntermediateSize ? 1 : 0,
    ...(sharedIntermediateSize && { moe_shared_expert_intermediate_size: sharedIntermediateSize }),
    layer_group_size: firstSoftmax + 1,
    group_norm_size: lightning!.normGroups,
    linear_silu: lightning!.silu === "all",
    partial_rotary_factor: config.rotaryDim / config.headDim,
    rope_theta: config.ropeTheta,
    use_qk_norm: config.queryKeyNorm ?? false,
    n_group: routing!.groups,
    topk_group: routing!.groupsPerToken,
    routed_scaling_factor: routing!.scale,
    score_function: "sigmoid",
    norm_topk_prob: true,
    moe_router_enable_expert_bias: true,
  };
}

function transnormerKeys(config: ModelConfig): Record<string, unknown> {
  return {
    architectures: ["TransnormerForCausalLM"],
    decoder_embed_dim: config.hiddenSize,
    decoder_layers: config.numHiddenLayers,
    decoder_attention_heads: config.numAttentionHeads,
    hidden_dim: config.numAttentionHeads * config.headDim,
    glu_dim: config.dense!.intermediateSize,
    linear_use_lrpe_list: config.linearPositions!.map(Number),
    no_scale_embedding: config.embeddingScale === 1,
    norm_type: "simplermsnorm",
    linear_act_fun: "silu",
    bias: false,
  };
}
