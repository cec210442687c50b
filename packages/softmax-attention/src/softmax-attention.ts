import {
  linear,
  mergeHeads,
  rmsNorm,
  rotaryEmbedding,
  softmaxAttention,
  splitHeads,
  type RotaryAngles,
} from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import { KeyValueCache } from "./key-value-cache.ts";

/** Sizes of one layer. */
export interface SoftmaxAttentionConfig {
  hiddenSize: number;
  numHeads: number;
  /** Heads of keys and values; divides `numHeads`. */
  numKeyValueHeads: number;
  headDim: number;
  /** Epsilon of the norms of queries and keys, in families that have them. */
  normEpsilon?: number;
}

/** Weights of one layer, `[out, in]` as on disk. */
export interface SoftmaxAttentionParameters {
  /** `[heads · headDim, hidden]` */
  queryProjection: tf.Tensor;
  /** `[kvHeads · headDim, hidden]` */
  keyProjection: tf.Tensor;
  /** `[kvHeads · headDim, hidden]` */
  valueProjection: tf.Tensor;
  /** `[hidden, heads · headDim]` */
  outputProjection: tf.Tensor;
}

/** Norms of the queries and keys of each head, `[headDim]`, in families that have them. */
export interface SoftmaxQueryKeyNorms {
  queryNorm: tf.Tensor;
  keyNorm: tf.Tensor;
}

/** Shapes of {@link SoftmaxAttentionParameters}. */
export function softmaxAttentionShapes(
  config: SoftmaxAttentionConfig,
): Record<keyof SoftmaxAttentionParameters, number[]> {
  const { hiddenSize, numHeads, numKeyValueHeads, headDim } = config;
  return {
    queryProjection: [numHeads * headDim, hiddenSize],
    keyProjection: [numKeyValueHeads * headDim, hiddenSize],
    valueProjection: [numKeyValueHeads * headDim, hiddenSize],
    outputProjection: [hiddenSize, numHeads * headDim],
  };
}

/** Where the tokens stand, and which are padding (`[batch, length]`, 1 = real). */
export interface SoftmaxAttentionOptions {
  /** From `rotaryAngles` at the absolute positions of these tokens. */
  angles: RotaryAngles;
  mask?: tf.Tensor2D | undefined;
}

/**
 * A softmax attention layer with grouped queries and (partial) rotary embedding (SPEC section 7).
 */
export class SoftmaxAttention {
  readonly config: SoftmaxAttentionConfig;
  readonly parameters: SoftmaxAttentionParameters & Partial<SoftmaxQueryKeyNorms>;

  constructor(
    config: SoftmaxAttentionConfig,
    parameters: SoftmaxAttentionParameters & Partial<SoftmaxQueryKeyNorms>,
  ) {
    this.config = config;
    this.parameters = parameters;
  }

  /** The whole sequence at once, differentiable: `[batch, length, hidden]` → the same shape. */
  forward(x: tf.Tensor3D, { angles, mask }: SoftmaxAttentionOptions): tf.Tensor3D {
    return tf.tidy(() => {
      const { queries, keys, values } = this.#project(x, angles);
      return this.#output(softmaxAttention({ queries, keys: [keys], values: [values], mask }));
    });
  }

  /** An empty cache; it takes the batch size of the first tokens. */
  createState(): KeyValueCache {
    return new KeyValueCache();
  }

  /** The next tokens of a sequence, any number of them; `state` grows. */
  prefill(x: tf.Tensor3D, state: KeyValueCache, options: SoftmaxAttentionOptions): tf.Tensor3D {
    return tf.tidy(() => {
      const { queries, keys, values } = this.#project(x, options.angles);
      state.append(keys, values, options.mask);
      const { keys: allKeys, values: allValues, mask } = state;
      return this.#output(softmaxAttention({ queries, keys: allKeys, values: allValues, mask }));
    });
  }

  /** One more token: `[batch, 1, hidden]`; `state` grows. */
  step(x: tf.Tensor3D, state: KeyValueCache, options: SoftmaxAttentionOptions): tf.Tensor3D {
    return this.prefill(x, state, options);
  }

  #project(
    x: tf.Tensor3D,
    angles: RotaryAngles,
  ): { queries: tf.Tensor4D; keys: tf.Tensor4D; values: tf.Tensor4D } {
    const { queryProjection, keyProjection, valueProjection } = this.parameters;
    const { queryNorm, keyNorm } = this.parameters;
    const { headDim, normEpsilon } = this.config;
    const heads = (weight: tf.Tensor): tf.Tensor4D =>
      splitHeads(linear(x, weight) as tf.Tensor3D, weight.shape[0]! / headDim)[0]!;
    const placed = (weight: tf.Tensor, norm: tf.Tensor | undefined): tf.Tensor4D => {
      const all = heads(weight);
      return rotaryEmbedding(norm ? rmsNorm(all, norm, normEpsilon!) : all, angles);
    };
    return {
      queries: placed(queryProjection, queryNorm),
      keys: placed(keyProjection, keyNorm),
      values: heads(valueProjection),
    };
  }

  #output(attended: tf.Tensor4D): tf.Tensor3D {
    return linear(mergeHeads(attended), this.parameters.outputProjection) as tf.Tensor3D;
  }
}
