import * as tf from "@tensorflow/tfjs-core";
import { initializers, layers } from "@tensorflow/tfjs-layers";
import {
  MixtureOfExperts,
  mixtureOfExpertsShapes,
  type MixtureOfExpertsConfig,
} from "./mixture-of-experts.ts";

/** Arguments of {@link MixtureOfExpertsLayer}; plain JSON, so that `model.save` keeps them. */
export interface MixtureOfExpertsLayerArgs {
  intermediateSize: number;
  numExperts: number;
  numExpertsPerToken: number;
  name?: string;
}

interface Weights {
  router: { read(): tf.Tensor };
  experts: Record<"gate" | "up" | "down", { read(): tf.Tensor }>[];
}

/** A mixture of experts as a tfjs layer: `[batch, length, hidden]` → the same shape. */
export class MixtureOfExpertsLayer extends layers.Layer {
  /** Name in saved models. */
  static readonly className = "LevinMixtureOfExperts";
  readonly #args: MixtureOfExpertsLayerArgs;
  #config: MixtureOfExpertsConfig | undefined;
  #weights: Weights | undefined;

  constructor(args: MixtureOfExpertsLayerArgs) {
    super(args as unknown as ConstructorParameters<typeof layers.Layer>[0]);
    this.#args = args;
    this.supportsMasking = true;
  }

  override build(inputShape: (number | null)[] | (number | null)[][]): void {
    const { intermediateSize, numExperts, numExpertsPerToken } = this.#args;
    const hiddenSize = inputShape.at(-1) as number;
    this.#config = { hiddenSize, intermediateSize, numExperts, numExpertsPerToken };
    const shapes = mixtureOfExpertsShapes(this.#config);
    const add = (name: string, shape: number[]): { read(): tf.Tensor } =>
      this.addWeight(name, shape, "float32", initializers.glorotNormal({}));
    this.#weights = {
      router: add("router", shapes.router),
      experts: Array.from({ length: numExperts }, (_, e) => ({
        gate: add(`experts_${e}_gate`, shapes.expert.gate),
        up: add(`experts_${e}_up`, shapes.expert.up),
        down: add(`experts_${e}_down`, shapes.expert.down),
      })),
    };
    this.built = true;
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
    return this.mixture().forward(x).output;
  }

  /** The block with its present weights, for router losses and inspection. */
  mixture(): MixtureOfExperts {
    if (!this.#weights || !this.#config) {
      throw new Error(`${this.name}: expected a built layer, found one that was never called`);
    }
    return new MixtureOfExperts(this.#config, {
      router: this.#weights.router.read(),
      experts: this.#weights.experts.map(({ gate, up, down }) => ({
        gate: gate.read(),
        up: up.read(),
        down: down.read(),
      })),
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#args };
  }
}

tf.serialization.registerClass(
  MixtureOfExpertsLayer as unknown as tf.serialization.SerializableConstructor<MixtureOfExpertsLayer>,
);
