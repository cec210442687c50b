import { CausalLanguageModel, parseConfig, softmaxTwin, type CausalModelState } from "@levin/model";
import { KeyValueCache } from "@levin/softmax-attention";
import { initialiseParameters } from "@levin/training";
import * as tf from "@tensorflow/tfjs-core";

/** Two models that differ in nothing but the attention of their layers. */
export function twins(): Record<"hybrid" | "softmax", CausalLanguageModel> {
  const hybrid = parseConfig({
    model_type: "minimax_m1",
    vocab_size: 1024,
    hidden_size: 256,
    num_hidden_layers: 8,
    attn_type_list: [0, 0, 0, 0, 0, 0, 0, 1],
    num_attention_heads: 8,
    num_key_value_heads: 2,
    head_dim: 32,
    rotary_dim: 16,
    num_local_experts: 8,
    num_experts_per_tok: 2,
    intermediate_size: 256,
    layernorm_linear_attention_alpha: 2,
    layernorm_full_attention_alpha: 2,
    layernorm_mlp_alpha: 2,
    postnorm: true,
    max_position_embeddings: 2 ** 21,
  });
  const build = (config: typeof hybrid): CausalLanguageModel =>
    new CausalLanguageModel(config, initialiseParameters(config, 1));
  return { hybrid: build(hybrid), softmax: build(softmaxTwin(hybrid)) };
}

/**
 * A state as after `length` tokens. Caches are filled with random keys and values: the time of
 * attention does not depend on them, and a long quadratic prefill is spared.
 */
export function stateAt(model: CausalLanguageModel, length: number): CausalModelState {
  const state = model.createState(1);
  const { numKeyValueHeads, headDim } = model.config;
  for (const layer of state.layers) {
    if (!(layer instanceof KeyValueCache)) continue;
    tf.tidy(() => {
      const fill = (): tf.Tensor4D => tf.randomNormal([1, numKeyValueHeads, length, headDim]);
      layer.append(fill(), fill());
    });
  }
  state.length = length;
  state.positions[0] = length;
  return state;
}
