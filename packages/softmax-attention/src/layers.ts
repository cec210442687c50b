import { rotaryAngles } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import { initializers, layers } from "@tensorflow/tfjs-layers";
import {
  SoftmaxAttention,
  softmaxAttentionShapes,
  type SoftmaxAttentionConfig,
  type SoftmaxAttentionParameters,
} from "./softmax-attention.ts";

/** Arguments of {@link SoftmaxAttentionLayer}; plain JSON, so that `model.save` keeps them. */
export interface SoftmaxAttentionLayerArgs {
  numHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  /** Rotated dimensions of each head; default all. */
  rotaryDim?: number;
  /** Base of the rotation angles; default 10⁷ as in M1. */
  ropeTheta?: number;
  name?: string;
}

type Weights = Record<keyof SoftmaxAttentionParameters, { read(): tf.Tensor }>;

/** Softmax attention as a tfjs layer: `[batch, length, hidden]` → the same shape. */
export class SoftmaxAttentionLayer extends layers.Layer {
  /** Name in saved models. */
  static readonly className = "LevinSoftmaxAttention";
  readonly #args: SoftmaxAttentionLayerArgs;
  #config: SoftmaxAttentionConfig | undefined;
  #weights: Weights | undefined;

  constructor(args: SoftmaxAttentionLayerArgs) {
    super(args as unknown as ConstructorParameters<typeof layers.Layer>[0]);
    this.#args = args;
    this.supportsMasking = true;
  }

  override build(inputShape: (number | null)[] | (number | null)[][]): void {
    const { numHeads, numKeyValueHeads, headDim } = this.#args;
    const hiddenSize = inputShape.at(-1) as number;
    this.#config = { hiddenSize, numHeads, numKeyValueHeads, headDim };
    const shapes = softmaxAttentionShapes(this.#config);
    const add = (name: keyof SoftmaxAttentionParameters): { read(): tf.Tensor } =>
      this.addWeight(name, shapes[name], "float32", initializers.glorotNormal({}));
    this.#weights = {
      queryProjection: add("queryProjection"),
      keyProjection: add("keyProjection"),
      valueProjection: add("valueProjection"),
      outputProjection: add("outputProjection"),
    };
    this.built = true;
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
    const mask = kwargs?.["mask"] as tf.Tensor2D | undefined;
    const { headDim, rotaryDim = headDim, ropeTheta: base = 1e7 } = this.#args;
    const positions = [Array.from({ length: x.shape[1] }, (_, t) => t)];
    return this.attention().forward(x, {
      angles: rotaryAngles(positions, { rotaryDim, base }),
      mask: mask && tf.cast(mask, "float32"),
    });
  }

  /** The layer with its present weights, for stepping with a cache. */
  attention(): SoftmaxAttention {
    if (!this.#weights || !this.#config) {
      throw new Error(`${this.name}: expected a built layer, found one that was never called`);
    }
    const { queryProjection, keyProjection, valueProjection, outputProjection } = this.#weights;
    return new SoftmaxAttention(this.#config, {
      queryProjection: queryProjection.read(),
      keyProjection: keyProjection.read(),
      valueProjection: valueProjection.read(),
      outputProjection: outputProjection.read(),
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#args };
  }
}

tf.serialization.registerClass(
  SoftmaxAttentionLayer as unknown as tf.serialization.SerializableConstructor<SoftmaxAttentionLayer>,
);
