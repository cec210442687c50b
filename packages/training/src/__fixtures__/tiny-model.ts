import { CausalLanguageModel, parseConfig } from "@levin/model";
import { initialiseParameters } from "../initialise.ts";

/** A model of two layers, one of each kind of attention. */
export function tinyModel(seed = 1, routerAuxLossCoef = 0.01): CausalLanguageModel {
  const config = parseConfig({
    model_type: "minimax_m1",
    vocab_size: 24,
    eos_token_id: 23,
    hidden_size: 16,
    num_hidden_layers: 2,
    attn_type_list: [0, 1],
    num_attention_heads: 2,
    num_key_value_heads: 1,
    head_dim: 8,
    rotary_dim: 4,
    rope_theta: 10_000,
    num_local_experts: 4,
    num_experts_per_tok: 2,
    intermediate_size: 16,
    layernorm_linear_attention_alpha: 1.5,
    layernorm_full_attention_alpha: 1.5,
    layernorm_mlp_alpha: 1.5,
    postnorm: true,
    rms_norm_eps: 1e-5,
    router_aux_loss_coef: routerAuxLossCoef,
    max_position_embeddings: 64,
  });
  return new CausalLanguageModel(config, initialiseParameters(config, seed));
}
