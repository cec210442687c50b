import * as tf from "@tensorflow/tfjs-core";
import { initializers, layers } from "@tensorflow/tfjs-layers";
import { decaySlopes, type Dialect } from "./decay-slopes.ts";
import {
  LightningAttention,
  lightningAttentionShapes,
  type LightningAttentionConfig,
  type LightningAttentionParameters,
} from "./lightning-attention.ts";

/** Arguments of {@link LightningAttentionLayer}; plain JSON, so that `model.save` keeps them. */
export interface LightningAttentionLayerArgs {
  numHeads: number;
  headDim: number;
  /** Place of this layer in the model and number of layers; they set the decay. Default 0 of 1. */
  layerIndex?: number;
  numLayers?: number;
  dialect?: Dialect;
  blockSize?: number;
  name?: string;
}

type Weights = Record<keyof LightningAttentionParameters, { read(): tf.Tensor }>;

/** Lightning attention as a tfjs layer: `[batch, length, hidden]` → the same shape. */
export class LightningAttentionLayer extends layers.Layer {
  /** Name in saved models. */
  static readonly className = "LevinLightningAttention";
  readonly #args: LightningAttentionLayerArgs;
  #config: LightningAttentionConfig | undefined;
  #weights: Weights | undefined;

  constructor(args: LightningAttentionLayerArgs) {
    super(args as unknown as ConstructorParameters<typeof layers.Layer>[0]);
    this.#args = args;
    this.supportsMasking = true;
  }

  override build(inputShape: (number | null)[] | (number | null)[][]): void {
    const hiddenSize = inputShape.at(-1) as number;
    const { numHeads, headDim, layerIndex = 0, numLayers = 1, dialect = "m1" } = this.#args;
    const slopes = decaySlopes({ numHeads, layerIndex, numLayers, dialect });
    const { blockSize } = this.#args;
    this.#config = { hiddenSize, numHeads, headDim, slopes, ...(blockSize && { blockSize }) };
    const shapes = lightningAttentionShapes(this.#config);
    const add = (name: keyof LightningAttentionParameters): { read(): tf.Tensor } =>
      this.addWeight(
        name,
        shapes[name],
        "float32",
        name === "norm" ? initializers.ones() : initializers.glorotNormal({}),
      );
    this.#weights = {
      qkvProjection: add("qkvProjection"),
      norm: add("norm"),
      outputGate: add("outputGate"),
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
    return this.attention().forward(x, { mask: mask && tf.cast(mask, "float32") });
  }

  /** The layer with its present weights, for stepping with a state. */
  attention(): LightningAttention {
    if (!this.#weights || !this.#config) {
      throw new Error(`${this.name}: expected a built layer, found one that was never called`);
    }
    const { qkvProjection, norm, outputGate, outputProjection } = this.#weights;
    return new LightningAttention(this.#config, {
      qkvProjection: qkvProjection.read(),
      norm: norm.read(),
      outputGate: outputGate.read(),
      outputProjection: outputProjection.read(),
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#args };
  }
}

tf.serialization.registerClass(
  LightningAttentionLayer as unknown as tf.serialization.SerializableConstructor<LightningAttentionLayer>,
);
