import type { RingConfigFile } from "./config-file.ts";
import { fromHybrid } from "./from-hybrid.ts";
import type { LayerType, ModelConfig } from "./model-config.ts";

const plain = { alpha: 1, beta: 1 };

/** The configuration in a checked file of Ring- or Ling-linear. */
export function fromRing(file: RingConfigFile): ModelConfig {
  const hybrid = fromHybrid(file);
  const { headDim } = hybrid;
  const shared = file.moe_shared_expert_intermediate_size ?? file.moe_intermediate_size;
  return {
    ...hybrid,
    dialect: "ring",
    rotaryDim: Math.trunc(headDim * file.partial_rotary_factor),
    ropeTheta: file.rope_parameters?.rope_theta ?? file.rope_theta ?? 600_000,
    // No key of the files; short blocks suit CPUs.
    blockSize: 64,
    intermediateSize: file.moe_intermediate_size,
    numLocalExperts: file.num_experts,
    numExpertsPerTok: file.num_experts_per_tok,
    rmsNormEps: file.rms_norm_eps,
    layerTypes: layerTypes(file),
    postnorm: false,
    alphaBeta: { lightning: plain, softmax: plain, moe: plain },
    routerAuxLossCoef: file.router_aux_loss_coef,
    maxPositionEmbeddings: file.max_position_embeddings,
    lightning: {
      rows: "by-kind",
      silu: file.linear_silu ? "all" : "none",
      rotary: true,
      queryScale: headDim ** -0.5,
      normGroups: file.group_norm_size,
      normEpsilon: file.rms_norm_eps,
      gate: "sigmoid",
    },
    ...(file.use_qk_norm && { queryKeyNorm: true }),
    routing: {
      groups: file.n_group,
      groupsPerToken: file.topk_group,
      scale: file.routed_scaling_factor,
    },
    sharedIntermediateSize: shared * file.num_shared_experts,
    dense: {
      layers: file.first_k_dense_replace,
      intermediateSize: file.intermediate_size,
      activation: "silu",
    },
  };
}

/** The last layer of each group has softmax attention, and those that fill no group. */
function layerTypes({
  num_hidden_layers: count,
  layer_group_size: size,
}: RingConfigFile): LayerType[] {
  const whole = count - (count % size);
  return Array.from({ length: count }, (_, i) =>
    (i + 1) % size === 0 || i >= whole ? "softmax" : "lightning",
  );
}
