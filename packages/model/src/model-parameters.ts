import { decaySlopes, LightningAttention } from "@levin/lightning-attention";
import { DenseFeedForward, MixtureOfExperts, type Expert } from "@levin/moe";
import { SoftmaxAttention } from "@levin/softmax-attention";
import type * as tf from "@tensorflow/tfjs-core";
import type { ModelConfig } from "./config/model-config.ts";
import { DecoderLayer, type FeedForward, type LayerAttention } from "./decoder-layer.ts";

/** Parameters by the names that `tensorShapes` lists. */
export type ModelParameters = ReadonlyMap<string, tf.Tensor>;

/** Raised when a parameter is missing. */
export class MissingParameterError extends Error {
  override readonly name = "MissingParameterError";
}

/** The parameter of a name. */
export function parameter(parameters: ModelParameters, name: string): tf.Tensor {
  const tensor = parameters.get(name);
  if (!tensor) throw new MissingParameterError(`expected a parameter ${name}, found none`);
  return tensor;
}

/** Puts layer `index` together from its parameters. */
export function buildDecoderLayer(
  config: ModelConfig,
  parameters: ModelParameters,
  index: number,
): DecoderLayer {
  const tensor = (name: string): tf.Tensor =>
    parameter(parameters, `model.layers.${index}.${name}`);
  const weight: Weight = (name) => tensor(`${name}.weight`);
  const kind = config.layerTypes[index]!;
  const norms = { epsilon: config.rmsNormEps, postnorm: config.postnorm };
  const { dense } = config;
  return new DecoderLayer({
    attention: buildAttention(config, index, weight, tensor),
    feedForward:
      dense && index < dense.layers
        ? new DenseFeedForward(expert(weight, "mlp"), dense.activation)
        : buildMixture(config, weight, tensor),
    ...(!config.plainNorms && {
      inputNorm: weight("input_layernorm"),
      postAttentionNorm: weight("post_attention_layernorm"),
    }),
    attentionFactors: { ...config.alphaBeta[kind], ...norms },
    mixtureFactors: { ...config.alphaBeta.moe, ...norms },
  });
}

/** The weight of a module of a layer. */
type Weight = (module: string) => tf.Tensor;

function buildMixture(
  config: ModelConfig,
  weight: Weight,
  tensor: (name: string) => tf.Tensor,
): FeedForward {
  const { routing, sharedIntermediateSize } = config;
  const block = "block_sparse_moe";
  return new MixtureOfExperts(
    {
      hiddenSize: config.hiddenSize,
      intermediateSize: config.intermediateSize,
      numExperts: config.numLocalExperts,
      numExpertsPerToken: config.numExpertsPerTok,
      ...(routing && { routing }),
    },
    {
      router: weight(`${block}.gate`),
      experts: Array.from({ length: config.numLocalExperts }, (_, e) =>
        expert(weight, `${block}.experts.${e}`),
      ),
      ...(routing && { expertBias: tensor(`${block}.gate.expert_bias`) }),
      ...(sharedIntermediateSize && { shared: expert(weight, `${block}.shared_expert`) }),
    },
  );
}

function expert(weight: Weight, name: string): Expert {
  return { gate: weight(`${name}.w1`), up: weight(`${name}.w3`), down: weight(`${name}.w2`) };
}

function buildAttention(
  config: ModelConfig,
  layerIndex: number,
  weight: Weight,
  tensor: (name: string) => tf.Tensor,
): LayerAttention {
  const { hiddenSize, headDim, numAttentionHeads: numHeads, dialect, lightning: variant } = config;
  const queryKeyNorms = config.queryKeyNorm && {
    queryNorm: weight("self_attn.q_norm"),
    keyNorm: weight("self_attn.k_norm"),
  };
  if (config.layerTypes[layerIndex] === "lightning") {
    const numLayers = config.numHiddenLayers;
    const slopes = decaySlopes({ numHeads, layerIndex, numLayers, dialect });
    return {
      kind: "lightning",
      layer: new LightningAttention(
        {
          ...{ hiddenSize, numHeads, headDim, slopes, blockSize: config.blockSize },
          ...(variant && { variant }),
        },
        {
          qkvProjection: weight("self_attn.qkv_proj"),
          ...(!config.plainNorms && { norm: weight("self_attn.norm") }),
          ...(config.linearPositions?.[layerIndex] && { theta: tensor("self_attn.lrpe.theta") }),
          outputGate: weight("self_attn.output_gate"),
          outputProjection: weight("self_attn.out_proj"),
          ...queryKeyNorms,
        },
      ),
    };
  }
  return {
    kind: "softmax",
    layer: new SoftmaxAttention(
      {
        ...{ hiddenSize, numHeads, numKeyValueHeads: config.numKeyValueHeads, headDim },
        normEpsilon: config.rmsNormEps,
      },
      {
        queryProjection: weight("self_attn.q_proj"),
        keyProjection: weight("self_attn.k_proj"),
        valueProjection: weight("self_attn.v_proj"),
        outputProjection: weight("self_attn.o_proj"),
        ...queryKeyNorms,
      },
    ),
  };
}
