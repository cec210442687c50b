import * as tf from "@tensorflow/tfjs-core";
import type { Expert } from "../expert-mixture/expert.ts";

/** Norm and residual around a block's branch: α · r + β · branch(norm(h)) (SPEC section 5). */
export interface DecodeResidual {
  /** `[hidden]` */
  norm: tf.Tensor;
  epsilon: number;
  alpha: number;
  beta: number;
  /** True: r is norm(h), else h. */
  postnorm: boolean;
}

/** The attention block of a layer, and what it remembers. */
export interface LightningDecode extends DecodeResidual {
  kind: "lightning";
  slopes: readonly number[];
  /** `[3 · heads · headDim, hidden]` */
  qkvProjection: tf.Tensor;
  /** `[heads · headDim]` */
  innerNorm: tf.Tensor;
  /** `[heads · headDim, hidden]` */
  outputGate: tf.Tensor;
  /** `[hidden, heads · headDim]` */
  outputProjection: tf.Tensor;
  /** `[batch, heads, headDim, headDim]` */
  state: tf.Tensor4D;
}

/** Keys and values `[batch, kvHeads, length, headDim]`. */
export interface KeyValueSegment {
  keys: tf.Tensor4D;
  values: tf.Tensor4D;
}

/** A softmax attention layer in a decoding step. */
export interface SoftmaxDecode extends DecodeResidual {
  kind: "softmax";
  numHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  /** `[heads · headDim, hidden]` */
  queryProjection: tf.Tensor;
  /** `[kvHeads · headDim, hidden]` */
  keyProjection: tf.Tensor;
  valueProjection: tf.Tensor;
  /** `[hidden, heads · headDim]` */
  outputProjection: tf.Tensor;
  /** Earlier tokens that stay as they are. */
  settled?: KeyValueSegment | undefined;
  /** Those behind them, to which the new token is added. */
  recent?: KeyValueSegment | undefined;
  /** `[batch, all tokens and the new one]`, 1 = real; absent when all are. */
  mask?: tf.Tensor2D | undefined;
}

/** The mixture block of a layer. */
export interface MixtureDecode extends DecodeResidual {
  /** `[experts, hidden]` */
  router: tf.Tensor;
  experts: readonly Expert[];
  /** Experts of a token. */
  k: number;
}

/** One more token of each of some sequences, and all that a decoder does with it. */
export interface DecodeStep {
  /** One id a row. */
  ids: readonly number[];
  /** Cosines and sines of the new token's rotation angles, `[batch, rotaryDim / 2]`. */
  angles: { cos: Float32Array; sin: Float32Array };
  /** `[vocab, hidden]` */
  embedding: tf.Tensor;
  layers: readonly { attention: LightningDecode | SoftmaxDecode; mixture: MixtureDecode }[];
  /** Norm and LM head; without one the step ends with the hidden states. */
  head?: DecodeHead | undefined;
}

/** What follows the layers. */
export interface DecodeHead {
  /** `[hidden]` */
  norm: tf.Tensor;
  epsilon: number;
  /** `[vocab, hidden]` */
  weight: tf.Tensor;
}

/** What {@link decodeStep} gives. */
export interface DecodeStepResult {
  /** Logits `[batch, vocab]`, or hidden states `[batch, hidden]`. */
  output: tf.Tensor2D;
  /** Of each layer the next state, or the recent segment with the new token. */
  states: (tf.Tensor4D | KeyValueSegment)[];
}

const name = "LevinDecodeStep";

/** Whether the backend computes a decoding step as one kernel. */
export function hasDecodeStep(): boolean {
  return tf.getKernel(name, tf.getBackend()) != null;
}

/**
 * One token of each row through a whole decoder as one kernel: embedding, layers, norm and LM head. What
 * it must give is what the layers give one after another; there is no reference of its own.
 *
 * @throws KernelShapeError when weights do not fit together
 */
export function decodeStep(step: DecodeStep): DecodeStepResult {
  const outputs = tf
    .engine()
    .runKernel(name, {}, { step, inputNames: [] } as unknown as tf.NamedAttrMap) as tf.Tensor[];
  let next = 0;
  const states = step.layers.map(({ attention }) =>
    attention.kind === "lightning"
      ? (outputs[next++] as tf.Tensor4D)
      : {
          keys: outputs[next++] as tf.Tensor4D,
          values: outputs[next++] as tf.Tensor4D,
        },
  );
  return { output: outputs[next] as tf.Tensor2D, states };
}
