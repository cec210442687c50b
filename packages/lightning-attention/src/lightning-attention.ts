import {
  defaultBlockSize,
  lightningAttention,
  linear,
  mergeHeads,
  rmsNorm,
  sigmoidGate,
  silu,
  splitHeads,
} from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import { LightningAttentionState } from "./lightning-attention-state.ts";

/** Sizes and decay rates of one layer. */
export interface LightningAttentionConfig {
  hiddenSize: number;
  numHeads: number;
  headDim: number;
  /** Decay rate of each head, from `decaySlopes`. */
  slopes: number[];
  /** Tokens per block in prefill and training; default 256. */
  blockSize?: number;
}

/** Weights of one layer, `[out, in]` as on disk. */
export interface LightningAttentionParameters {
  /** `[3 · heads · headDim, hidden]`; rows of each head in the order queries, keys, values. */
  qkvProjection: tf.Tensor;
  /** `[heads · headDim]` */
  norm: tf.Tensor;
  /** `[heads · headDim, hidden]` */
  outputGate: tf.Tensor;
  /** `[hidden, heads · headDim]` */
  outputProjection: tf.Tensor;
}

/** Shapes of {@link LightningAttentionParameters}. */
export function lightningAttentionShapes(
  config: LightningAttentionConfig,
): Record<keyof LightningAttentionParameters, number[]> {
  const width = config.numHeads * config.headDim;
  return {
    qkvProjection: [3 * width, config.hiddenSize],
    norm: [width],
    outputGate: [width, config.hiddenSize],
    outputProjection: [config.hiddenSize, width],
  };
}

/** The norm of lightning attention ignores `rms_norm_eps` (SPEC section 4). */
const innerNormEpsilon = 1e-6;

/** Padding of a batch: `[batch, length]` float32, 1 for real tokens, 0 for padding. */
export interface AttentionOptions {
  mask?: tf.Tensor2D | undefined;
}

/**
 * A lightning attention layer (SPEC section 6; paper section 2): projection, SiLU, linear attention
 * with decay, norm over all heads, sigmoid gate, output projection.
 */
export class LightningAttention {
  readonly config: LightningAttentionConfig;
  readonly parameters: LightningAttentionParameters;

  constructor(config: LightningAttentionConfig, parameters: LightningAttentionParameters) {
    this.config = config;
    this.parameters = parameters;
  }

  /** The whole sequence at once, differentiable: `[batch, length, hidden]` → the same shape. */
  forward(x: tf.Tensor3D, { mask }: AttentionOptions = {}): tf.Tensor3D {
    return tf.tidy(() => this.#attend(x, undefined, mask).output);
  }

  /** An empty state for `batch` sequences. */
  createState(batch: number): LightningAttentionState {
    const { numHeads, headDim } = this.config;
    return new LightningAttentionState(tf.zeros([batch, numHeads, headDim, headDim]));
  }

  /** The next tokens of a sequence, any number of them; `state` moves on. */
  prefill(
    x: tf.Tensor3D,
    state: LightningAttentionState,
    { mask }: AttentionOptions = {},
  ): tf.Tensor3D {
    return tf.tidy(() => {
      const { output, state: next } = this.#attend(x, state.matrix, mask);
      state.update(next);
      return output;
    });
  }

  /** One more token: `[batch, 1, hidden]`; `state` moves on. */
  step(
    x: tf.Tensor3D,
    state: LightningAttentionState,
    options: AttentionOptions = {},
  ): tf.Tensor3D {
    return this.prefill(x, state, options);
  }

  #attend(
    x: tf.Tensor3D,
    state: tf.Tensor4D | undefined,
    mask: tf.Tensor2D | undefined,
  ): { output: tf.Tensor3D; state: tf.Tensor4D } {
    const { numHeads, slopes, blockSize = defaultBlockSize } = this.config;
    const { qkvProjection, norm, outputGate, outputProjection } = this.parameters;
    const qkv = silu(linear(x, qkvProjection)) as tf.Tensor3D;
    const [queries, keys, values] = splitHeads(qkv, numHeads, 3) as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
    ];
    const attended = lightningAttention({ queries, keys, values, slopes, state, mask, blockSize });
    const joined = mergeHeads(attended.output);
    const gated = sigmoidGate(rmsNorm(joined, norm, innerNormEpsilon), linear(x, outputGate));
    return { output: linear(gated, outputProjection) as tf.Tensor3D, state: attended.state };
  }
}
