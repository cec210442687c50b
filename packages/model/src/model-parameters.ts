import { decaySlopes, LightningAttention } from "@levin/lightning-attention";
import { MixtureOfExperts } from "@levin/moe";
import { SoftmaxAttention } from "@levin/softmax-attention";
import type * as tf from "@tensorflow/tfjs-core";
import type { ModelConfig } from "./config/model-config.ts";
import { DecoderLayer, type LayerAttention } from "./decoder-layer.ts";

/** Parameters by their on-disk tensor name (SPEC section 11). */
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
  const prefix = `model.layers.${index}`;
  const weight = (name: string): tf.Tensor => parameter(parameters, `${prefix}.${name}.weight`);
  const kind = config.layerTypes[index]!;
  const norms = { epsilon: config.rmsNormEps, postnorm: config.postnorm };
  return new DecoderLayer({
    attention: buildAttention(config, index, weight),
    mixture: new MixtureOfExperts(
      {
        hiddenSize: config.hiddenSize,
        intermediateSize: config.intermediateSize,
        numExperts: config.numLocalExperts,
        numExpertsPerToken: config.numExpertsPerTok,
      },
      {
        router: weight("block_sparse_moe.gate"),
        experts: Array.from({ length: config.numLocalExperts }, (_, e) => ({
          gate: weight(`block_sparse_moe.experts.${e}.w1`),
          up: weight(`block_sparse_moe.experts.${e}.w3`),
          down: weight(`block_sparse_moe.experts.${e}.w2`),
        })),
      },
    ),
    inputNorm: weight("input_layernorm"),
    postAttentionNorm: weight("post_attention_layernorm"),
    attentionFactors: { ...config.alphaBeta[kind], ...norms },
    mixtureFactors: { ...config.alphaBeta.moe, ...norms },
  });
}

function buildAttention(
  config: ModelConfig,
  layerIndex: number,
  weight: (name: string) => tf.Tensor,
): LayerAttention {
  const { hiddenSize, headDim, numAttentionHeads: numHeads, dialect } = config;
  if (config.layerTypes[layerIndex] === "lightning") {
    const numLayers = config.numHiddenLayers;
    const slopes = decaySlopes({ numHeads, layerIndex, numLayers, dialect });
    return {
      kind: "lightning",
      layer: new LightningAttention(
        { hiddenSize, numHeads, headDim, slopes, blockSize: config.blockSize },
        {
          qkvProjection: weight("self_attn.qkv_proj"),
          norm: weight("self_attn.norm"),
          outputGate: weight("self_attn.output_gate"),
          outputProjection: weight("self_attn.out_proj"),
        },
      ),
    };
  }
  return {
    kind: "softmax",
    layer: new SoftmaxAttention(
      { hiddenSize, numHeads, numKeyValueHeads: config.numKeyValueHeads, headDim },
      {
        queryProjection: weight("self_attn.q_proj"),
        keyProjection: weight("self_attn.k_proj"),
        valueProjection: weight("self_attn.v_proj"),
        outputProjection: weight("self_attn.o_proj"),
      },
    ),
  };
}
