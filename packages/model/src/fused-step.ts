import {
  decodeStep,
  rotaryAngleValues,
  type DecodeHead,
  type LightningDecode,
  type MixtureDecode,
  type SoftmaxDecode,
} from "@levin/kernels";
import type { LightningAttentionState } from "@levin/lightning-attention";
import { MixtureOfExperts } from "@levin/moe";
import type { KeyValueCache } from "@levin/softmax-attention";
import * as tf from "@tensorflow/tfjs-core";
import type { DecoderLayer, LayerState } from "./decoder-layer.ts";
import type { CausalModelState } from "./model-state.ts";

/** What a decoding step reads of a model beside its layers. */
export interface StepParts {
  /** `[vocab, hidden]` */
  embedding: tf.Tensor;
  layers: readonly DecoderLayer[];
  head: DecodeHead | undefined;
  rotaryDim: number;
  base: number;
}

/** Whether the kernel knows the blocks of a layer: those of MiniMax, without variants of other families. */
export function fitsFusedStep({ parts: { attention, feedForward } }: DecoderLayer): boolean {
  const isVariant = attention.kind === "lightning" && attention.layer.config.variant !== undefined;
  if (isVariant || attention.layer.parameters.queryNorm) return false;
  if (!(feedForward instanceof MixtureOfExperts)) return false;
  return !feedForward.config.routing && !feedForward.parameters.shared;
}

/**
 * One real token of each row through the whole model as one kernel, on backends that have it
 * (`hasDecodeStep`): what the layers give one after another. The layers' states move on. Each layer
 * fits ({@link fitsFusedStep}).
 *
 * @param ids one of each row
 * @returns `[batch, vocab]` logits, or `[batch, hidden]` hidden states without a head
 */
export function fusedStep(
  parts: StepParts,
  state: CausalModelState,
  ids: readonly number[],
): tf.Tensor2D {
  return tf.tidy(() => {
    const { output, states } = decodeStep({
      ids,
      angles: rotaryAngleValues(state.positions, parts),
      embedding: parts.embedding,
      layers: parts.layers.map((layer, i) => ({
        attention: attentionOf(layer, state.layers[i]!),
        mixture: mixtureOf(layer),
      })),
      head: parts.head,
    });
    states.forEach((next, i) => {
      const layer = state.layers[i]!;
      if ("keys" in next) (layer as KeyValueCache).extend(next);
      else (layer as LightningAttentionState).update(next);
    });
    return output;
  });
}

function attentionOf({ parts }: DecoderLayer, state: LayerState): LightningDecode | SoftmaxDecode {
  const { attention, attentionFactors } = parts;
  const norm = parts.inputNorm!;
  if (attention.kind === "lightning") {
    const { norm: innerNorm, ...weights } = attention.layer.parameters;
    const { slopes } = attention.layer.config;
    const { matrix } = state as LightningAttentionState;
    return {
      kind: "lightning",
      ...{ norm, ...attentionFactors, ...weights },
      ...{ innerNorm: innerNorm!, slopes, state: matrix },
    };
  }
  const { config, parameters } = attention.layer;
  const cache = state as KeyValueCache;
  const { numHeads, numKeyValueHeads, headDim } = config;
  return {
    kind: "softmax",
    ...{ norm, ...attentionFactors, ...parameters, ...cache.settle() },
    ...{ numHeads, numKeyValueHeads, headDim, mask: withNewToken(cache.mask) },
  };
}

function mixtureOf({ parts }: DecoderLayer): MixtureDecode {
  const { feedForward, mixtureFactors } = parts;
  const norm = parts.postAttentionNorm!;
  const mixture = feedForward as MixtureOfExperts;
  const { router, experts } = mixture.parameters;
  return { norm, ...mixtureFactors, router, experts, k: mixture.config.numExpertsPerToken };
}

/** The mask of a cache with the new token of each row, which is real. */
function withNewToken(mask: tf.Tensor2D | undefined): tf.Tensor2D | undefined {
  return mask && tf.concat([mask, tf.ones<tf.Rank.R2>([mask.shape[0], 1])], 1);
}
