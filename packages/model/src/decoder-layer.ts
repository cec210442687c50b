import type { RotaryAngles } from "@levin/kernels";
import type { LightningAttention, LightningAttentionState } from "@levin/lightning-attention";
import type { RouterOutput } from "@levin/moe";
import type { KeyValueCache, SoftmaxAttention } from "@levin/softmax-attention";
import type * as tf from "@tensorflow/tfjs-core";
import { normalisedBranch, type BlockFactors } from "./normalised-branch.ts";

/** The state of one layer: a fixed-size matrix per head, or a growing cache. */
export type LayerState = LightningAttentionState | KeyValueCache;

/** Attention of either kind, as the decoder layer drives it. */
export type LayerAttention =
  | { kind: "lightning"; layer: LightningAttention }
  | { kind: "softmax"; layer: SoftmaxAttention };

/** The block behind attention: a mixture of experts, which has a router, or one block for all tokens. */
export interface FeedForward {
  forward(x: tf.Tensor3D): { output: tf.Tensor3D; router?: RouterOutput };
}

export interface DecoderLayerParts {
  attention: LayerAttention;
  feedForward: FeedForward;
  /** Norm weights, `[hidden]`, in families whose norms have some. */
  inputNorm?: tf.Tensor;
  postAttentionNorm?: tf.Tensor;
  attentionFactors: BlockFactors;
  mixtureFactors: BlockFactors;
}

/** What all layers share in one pass. */
export interface LayerContext {
  /** `[batch, length]`, 1 = real token; absent when there is no padding. */
  mask?: tf.Tensor2D | undefined;
  angles: RotaryAngles;
  /** Absolute positions, `[batch][length]`. */
  positions: readonly (readonly number[])[];
}

export interface DecoderLayerOutput {
  /** `[batch, length, hidden]` after the layer, and of its two branches. */
  hidden: tf.Tensor3D;
  attention: tf.Tensor3D;
  feedForward: tf.Tensor3D;
  /** Of a layer with experts. */
  router?: RouterOutput;
}

/** norm → attention → residual → norm → feed-forward → residual (SPEC section 5). */
export class DecoderLayer {
  readonly parts: DecoderLayerParts;

  constructor(parts: DecoderLayerParts) {
    this.parts = parts;
  }

  createState(batch: number): LayerState {
    const { attention } = this.parts;
    return attention.kind === "lightning"
      ? attention.layer.createState(batch)
      : attention.layer.createState();
  }

  /** Without `state` the whole sequence, differentiable; with it the next tokens. */
  forward(hidden: tf.Tensor3D, context: LayerContext, state?: LayerState): DecoderLayerOutput {
    const { inputNorm, postAttentionNorm, attentionFactors, mixtureFactors } = this.parts;
    const output = {} as DecoderLayerOutput;
    const attended = normalisedBranch(
      hidden,
      inputNorm,
      attentionFactors,
      (x) => (output.attention = this.#attend(x, context, state)),
    );
    output.hidden = normalisedBranch(attended, postAttentionNorm, mixtureFactors, (x) => {
      const { output: feedForward, router } = this.parts.feedForward.forward(x);
      Object.assign(output, { feedForward, router });
      return feedForward;
    });
    return output;
  }

  #attend(x: tf.Tensor3D, context: LayerContext, state: LayerState | undefined): tf.Tensor3D {
    const { attention } = this.parts;
    if (attention.kind === "lightning") {
      return state
        ? attention.layer.prefill(x, state as LightningAttentionState, context)
        : attention.layer.forward(x, context);
    }
    return state
      ? attention.layer.prefill(x, state as KeyValueCache, context)
      : attention.layer.forward(x, context);
  }
}
