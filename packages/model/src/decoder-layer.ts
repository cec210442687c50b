import { rmsNorm, scaledResidual, type RotaryAngles } from "@levin/kernels";
import type { LightningAttention, LightningAttentionState } from "@levin/lightning-attention";
import type { MixtureOfExperts, RouterOutput } from "@levin/moe";
import type { KeyValueCache, SoftmaxAttention } from "@levin/softmax-attention";
import type * as tf from "@tensorflow/tfjs-core";

/** The state of one layer: a fixed-size matrix per head, or a growing cache. */
export type LayerState = LightningAttentionState | KeyValueCache;

/** Attention of either kind, as the decoder layer drives it. */
export type LayerAttention =
  | { kind: "lightning"; layer: LightningAttention }
  | { kind: "softmax"; layer: SoftmaxAttention };

/** α and β of one residual connection: α · skip + β · branch. */
export interface ResidualFactors {
  alpha: number;
  beta: number;
}

export interface DecoderLayerParts {
  attention: LayerAttention;
  mixture: MixtureOfExperts;
  /** Norm weights, `[hidden]`. */
  inputNorm: tf.Tensor;
  postAttentionNorm: tf.Tensor;
  attentionFactors: ResidualFactors;
  mixtureFactors: ResidualFactors;
  /** True: the skip path carries the normalised input (SPEC section 5). */
  postnorm: boolean;
  epsilon: number;
}

/** What all layers share in one pass. */
export interface LayerContext {
  /** `[batch, length]`, 1 = real token; absent when there is no padding. */
  mask?: tf.Tensor2D | undefined;
  angles: RotaryAngles;
}

export interface DecoderLayerOutput {
  /** `[batch, length, hidden]` after the layer, and of its two branches. */
  hidden: tf.Tensor3D;
  attention: tf.Tensor3D;
  mixture: tf.Tensor3D;
  router: RouterOutput;
}

/** norm → attention → residual → norm → mixture of experts → residual (SPEC section 5). */
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
    const { inputNorm, postAttentionNorm, attentionFactors, mixtureFactors, epsilon } = this.parts;
    const normalised = rmsNorm(hidden, inputNorm, epsilon);
    const attention = this.#attend(normalised, context, state);
    const attended = this.#residual(hidden, normalised, attention, attentionFactors);
    const renormalised = rmsNorm(attended, postAttentionNorm, epsilon);
    const { output: mixture, router } = this.parts.mixture.forward(renormalised);
    return {
      hidden: this.#residual(attended, renormalised, mixture, mixtureFactors),
      attention,
      mixture,
      router,
    };
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

  #residual(
    before: tf.Tensor3D,
    normalised: tf.Tensor3D,
    branch: tf.Tensor3D,
    { alpha, beta }: ResidualFactors,
  ): tf.Tensor3D {
    const skip = this.parts.postnorm ? normalised : before;
    return scaledResidual(skip, alpha, branch, beta);
  }
}
