import { CausalLanguageModel, parseConfig } from "@levin/model";
import { initialiseParameters } from "@levin/training";

/** A model of two layers, one of each kind of attention, whose tokens are {@link encodeLetters}'s. */
export function tinyModel(): CausalLanguageModel {
  const config = parseConfig({
    ...{ model_type: "minimax_m1", vocab_size: 64, eos_token_id: 63, hidden_size: 16 },
    ...{ num_hidden_layers: 2, attn_type_list: [0, 1], num_attention_heads: 2, head_dim: 8 },
    ...{ num_key_value_heads: 1, rotary_dim: 4, rope_theta: 10_000, num_local_experts: 4 },
    ...{ num_experts_per_tok: 2, intermediate_size: 16, postnorm: true, rms_norm_eps: 1e-5 },
    ...{ layernorm_linear_attention_alpha: 1.5, layernorm_full_attention_alpha: 1.5 },
    ...{ layernorm_mlp_alpha: 1.5, router_aux_loss_coef: 0.01, max_position_embeddings: 300 },
  });
  return new CausalLanguageModel(config, initialiseParameters(config, 1));
}

/** A token for each letter. */
export const encodeLetters = (text: string): number[] =>
  Array.from(text, (letter) => letter.codePointAt(0)! % 63);
