import type { ModelConfig } from "./model-config.ts";

/** The `config.json` of a configuration, in its own dialect; `parseConfig` reads it back. */
export function toConfigJson(config: ModelConfig): Record<string, unknown> {
  const { lightning, softmax, moe } = config.alphaBeta;
  const shared = {
    model_type: config.modelType,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    intermediate_size: config.intermediateSize,
    num_local_experts: config.numLocalExperts,
    num_experts_per_tok: config.numExpertsPerTok,
    rms_norm_eps: config.rmsNormEps,
    router_aux_loss_coef: config.routerAuxLossCoef,
    max_position_embeddings: config.maxPositionEmbeddings,
    tie_word_embeddings: config.tieWordEmbeddings,
    hidden_act: "silu",
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
    pad_token_id: config.padTokenId,
    ...(config.quantization && {
      quantization: {
        bits: config.quantization.bits,
        block_size: config.quantization.blockSize,
      },
    }),
  };
  if (config.dialect === "hf") {
    return {
      architectures: ["MiniMaxForCausalLM"],
      ...shared,
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
    };
  }
  return {
    architectures: ["MiniMaxM1ForCausalLM"],
    ...shared,
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
  };
}
