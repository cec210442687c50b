import {
  defaultBlockSize,
  lightningAttention,
  linear,
  mergeHeads,
  rmsNorm,
  rotaryEmbedding,
  sigmoidGate,
  silu,
  splitHeads,
  type RotaryAngles,
} from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import { LightningAttentionState } from "./lightning-attention-state.ts";
import { sumOfHalves, withLinearPositions, type AttentionHeads } from "./linear-position.ts";
import { minimaxVariant, type LightningVariant } from "./lightning-variant.ts";

/** Sizes and decay rates of one layer. */
export interface LightningAttentionConfig {
  hiddenSize: number;
  numHeads: number;
  headDim: number;
  /** Decay rate of each head, from `decaySlopes`. */
  slopes: number[];
  /** Tokens per block in prefill and training; default 256. */
  blockSize?: number;
  /** Of a family other than MiniMax. */
  variant?: LightningVariant;
}

/** Weights of one layer, `[out, in]` as on disk. */
export interface LightningAttentionParameters {
  /** `[3 · heads · headDim, hidden]`; rows of each head in the order queries, keys, values, unless the variant says otherwise. */
  qkvProjection: tf.Tensor;
  /** `[heads · headDim]` */
  norm: tf.Tensor;
  /** `[heads · headDim, hidden]` */
  outputGate: tf.Tensor;
  /** `[hidden, heads · headDim]` */
  outputProjection: tf.Tensor;
}

/** Weights that layers of some families have. */
export interface LightningVariantParameters {
  /** Norms of the queries and keys of each head, `[headDim]`. */
  queryNorm: tf.Tensor;
  keyNorm: tf.Tensor;
  /** Angles of LRPE, `[heads, 1, headDim]`. */
  theta: tf.Tensor;
}

/** All weights of a layer; that of the norm is absent where it has none. */
export type LightningAttentionWeights = Omit<LightningAttentionParameters, "norm"> &
  Partial<Pick<LightningAttentionParameters, "norm"> & LightningVariantParameters>;

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

/** Padding of a batch, and where its tokens stand. */
export interface AttentionOptions {
  /** `[batch, length]` float32, 1 for real tokens, 0 for padding. */
  mask?: tf.Tensor2D | undefined;
  /** From `rotaryAngles` at the absolute positions of these tokens, for variants with rotary embedding. */
  angles?: RotaryAngles | undefined;
  /** Absolute positions of these tokens, `[batch][length]`, for layers with LRPE. */
  positions?: readonly (readonly number[])[] | undefined;
}

/**
 * A lightning attention layer (SPEC section 6; paper section 2): projection, SiLU, linear attention
 * with decay, norm over all heads, sigmoid gate, output projection.
 */
export class LightningAttention {
  readonly config: LightningAttentionConfig;
  readonly parameters: LightningAttentionWeights;
  readonly #variant: LightningVariant;

  constructor(config: LightningAttentionConfig, parameters: LightningAttentionWeights) {
    this.config = config;
    this.parameters = parameters;
    this.#variant = config.variant ?? minimaxVariant;
  }

  /** The whole sequence at once, differentiable: `[batch, length, hidden]` → the same shape. */
  forward(x: tf.Tensor3D, options: AttentionOptions = {}): tf.Tensor3D {
    return tf.tidy(() => this.#attend(x, undefined, options).output);
  }

  /** Heads of the state: twice as many as of the layer where it has LRPE. */
  get stateHeads(): number {
    return this.config.numHeads * (this.parameters.theta ? 2 : 1);
  }

  /** An empty state for `batch` sequences. */
  createState(batch: number): LightningAttentionState {
    const { headDim } = this.config;
    return new LightningAttentionState(tf.zeros([batch, this.stateHeads, headDim, headDim]));
  }

  /** The next tokens of a sequence, any number of them; `state` moves on. */
  prefill(
    x: tf.Tensor3D,
    state: LightningAttentionState,
    options: AttentionOptions = {},
  ): tf.Tensor3D {
    return tf.tidy(() => {
      const { output, state: next } = this.#attend(x, state.matrix, options);
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
    { mask, angles, positions }: AttentionOptions,
  ): { output: tf.Tensor3D; state: tf.Tensor4D } {
    const { blockSize = defaultBlockSize } = this.config;
    const { theta, outputProjection } = this.parameters;
    const heads = this.#heads(x, angles);
    const placed = theta ? withLinearPositions(heads, theta, positions!) : heads;
    const slopes = theta ? [...this.config.slopes, ...this.config.slopes] : this.config.slopes;
    const attended = lightningAttention({ ...placed, slopes, state, mask, blockSize });
    const output = theta ? sumOfHalves(attended.output) : attended.output;
    const gated = this.#gated(this.#normalised(mergeHeads(output)), x);
    return { output: linear(gated, outputProjection) as tf.Tensor3D, state: attended.state };
  }

  #heads(x: tf.Tensor3D, angles: RotaryAngles | undefined): AttentionHeads {
    const { numHeads } = this.config;
    const { qkvProjection, queryNorm, keyNorm } = this.parameters;
    const { rows, silu: activated, rotary, queryScale, normEpsilon } = this.#variant;
    const projected = linear(x, qkvProjection) as tf.Tensor3D;
    const qkv = activated === "all" ? silu(projected) : projected;
    const [queries, keys, values] = (
      rows === "by-head"
        ? splitHeads(qkv, numHeads, 3)
        : tf.split(splitHeads(qkv, 3 * numHeads)[0]!, 3, 1)
    ) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const placed = (heads: tf.Tensor4D, norm: tf.Tensor | undefined): tf.Tensor4D => {
      const active = activated === "queries-and-keys" ? silu(heads) : heads;
      const normalised = norm ? rmsNorm(active, norm, normEpsilon) : active;
      return rotary ? rotaryEmbedding(normalised, angles!) : normalised;
    };
    const turned = placed(queries, queryNorm);
    return {
      queries: queryScale === 1 ? turned : tf.mul(turned, queryScale),
      keys: placed(keys, keyNorm),
      values,
    };
  }

  #normalised(joined: tf.Tensor3D): tf.Tensor3D {
    const { norm } = this.parameters;
    const { normGroups, normEpsilon } = this.#variant;
    if (normGroups === 1) return rmsNorm(joined, norm, normEpsilon);
    const groups = tf.reshape(joined, [-1, joined.shape[2] / normGroups]);
    const normalised = tf.reshape(
      rmsNorm(groups, undefined, normEpsilon),
      joined.shape,
    ) as tf.Tensor3D;
    return norm ? tf.mul(normalised, norm) : normalised;
  }

  #gated(normalised: tf.Tensor3D, x: tf.Tensor3D): tf.Tensor3D {
    const gate = linear(x, this.parameters.outputGate) as tf.Tensor3D;
    return this.#variant.gate === "sigmoid"
      ? sigmoidGate(normalised, gate)
      : tf.mul(normalised, gate);
  }
}
