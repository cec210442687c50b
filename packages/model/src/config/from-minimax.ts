import type { HfConfigFile, M1ConfigFile } from "./config-file.ts";
import { fromHybrid } from "./from-hybrid.ts";
import type { LayerType, ModelConfig } from "./model-config.ts";

/** What the files of both dialects say in the same way. */
function fromShared(
  file: HfConfigFile | M1ConfigFile,
): Omit<
  ModelConfig,
  "dialect" | "rotaryDim" | "blockSize" | "layerTypes" | "postnorm" | "alphaBeta"
> {
  return {
    ...fromHybrid(file),
    intermediateSize: file.intermediate_size,
    numLocalExperts: file.num_local_experts,
    numExpertsPerTok: file.num_experts_per_tok,
    rmsNormEps: file.rms_norm_eps,
    ropeTheta: file.rope_parameters?.rope_theta ?? file.rope_theta ?? 1e6,
    routerAuxLossCoef: file.router_aux_loss_coef,
    maxPositionEmbeddings: file.max_position_embeddings,
  };
}

/** The configuration in a checked file of transformers' dialect. */
export function fromHf(file: HfConfigFile): ModelConfig {
  const shared = fromShared(file);
  const layerTypes = file.layer_types?.map((type): LayerType =>
    type === "full_attention" ? "softmax" : "lightning",
  );
  return {
    ...shared,
    dialect: "hf",
    // transformers rotates the whole head, whatever the config says (SPEC 13.1).
    rotaryDim: shared.headDim,
    blockSize: file.block_size,
    layerTypes:
      layerTypes ??
      Array.from({ length: file.num_hidden_layers }, (_, i) => (i % 2 ? "lightning" : "softmax")),
    postnorm: true,
    alphaBeta: {
      lightning: factors(file.linear_attn_alpha_factor, file.linear_attn_beta_factor),
      softmax: factors(file.full_attn_alpha_factor, file.full_attn_beta_factor),
      moe: factors(file.mlp_alpha_factor, file.mlp_beta_factor),
    },
  };
}

/** The configuration in a checked file of MiniMax-AI's dialect. */
export function fromM1(file: M1ConfigFile): ModelConfig {
  const shared = fromShared(file);
  return {
    ...shared,
    dialect: "m1",
    rotaryDim: file.rotary_dim ?? shared.headDim,
    // m1 files have no key for it; short blocks suit CPUs.
    blockSize: 64,
    layerTypes: file.attn_type_list.map((type) => (type === 1 ? "softmax" : "lightning")),
    postnorm: file.postnorm,
    alphaBeta: {
      lightning: factors(
        file.layernorm_linear_attention_alpha,
        file.layernorm_linear_attention_beta,
      ),
      softmax: factors(file.layernorm_full_attention_alpha, file.layernorm_full_attention_beta),
      moe: factors(file.layernorm_mlp_alpha, file.layernorm_mlp_beta),
    },
  };
}

function factors(alpha = 1, beta = 1): { alpha: number; beta: number } {
  return { alpha, beta };
}
