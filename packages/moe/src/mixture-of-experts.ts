import {
  expertMixture,
  linear,
  routeByGroups,
  routeTopExperts,
  type Expert,
  type GroupedRouting,
  type Routing,
} from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import { DenseFeedForward } from "./dense-feed-forward.ts";

/** Sizes of one block. */
export interface MixtureOfExpertsConfig {
  hiddenSize: number;
  /** Width of one expert. */
  intermediateSize: number;
  numExperts: number;
  /** Experts computed for each token. */
  numExpertsPerToken: number;
  /** Absent: the k most probable of all experts, by softmax. */
  routing?: GroupedRouting;
}

/** Weights of one block, `[out, in]` as on disk. */
export interface MixtureOfExpertsParameters {
  /** Router, `[experts, hidden]`. */
  router: tf.Tensor;
  experts: readonly Expert[];
  /** Of grouped routing, `[experts]`. */
  expertBias?: tf.Tensor;
  /** An expert, of any width, that sees every token. */
  shared?: Expert;
}

/** Shapes of router and experts in {@link MixtureOfExpertsParameters}. */
export function mixtureOfExpertsShapes(config: MixtureOfExpertsConfig): {
  router: number[];
  expert: Record<keyof Expert, number[]>;
} {
  const { hiddenSize, intermediateSize, numExperts } = config;
  return {
    router: [numExperts, hiddenSize],
    expert: {
      gate: [intermediateSize, hiddenSize],
      up: [intermediateSize, hiddenSize],
      down: [hiddenSize, intermediateSize],
    },
  };
}

/** What the router decided for each token, for losses and inspection. */
export interface RouterOutput extends Routing {
  /** `[tokens, experts]` before the softmax. */
  logits: tf.Tensor2D;
}

/** A top-k mixture of SwiGLU experts (SPEC section 8). Only chosen experts are computed. */
export class MixtureOfExperts {
  readonly config: MixtureOfExpertsConfig;
  readonly parameters: MixtureOfExpertsParameters;
  readonly #shared: DenseFeedForward | undefined;

  constructor(config: MixtureOfExpertsConfig, parameters: MixtureOfExpertsParameters) {
    this.config = config;
    this.parameters = parameters;
    if (parameters.shared) this.#shared = new DenseFeedForward(parameters.shared);
  }

  /**
   * @param x `[batch, length, hidden]`
   * @returns `output` of the same shape, and the router's decisions over `batch · length` tokens
   */
  forward(x: tf.Tensor3D): { output: tf.Tensor3D; router: RouterOutput } {
    return tf.tidy(() => {
      const tokens = tf.reshape(x, [-1, this.config.hiddenSize]) as tf.Tensor2D;
      const logits = linear(tokens, this.parameters.router) as tf.Tensor2D;
      const routing = this.#route(logits);
      const chosen = expertMixture(tokens, routing, this.parameters.experts);
      const output = this.#shared ? tf.add(chosen, this.#shared.forward(tokens).output) : chosen;
      return {
        output: tf.reshape(output, x.shape) as tf.Tensor3D,
        router: { logits, ...routing },
      };
    });
  }

  #route(logits: tf.Tensor2D): Routing {
    const { numExpertsPerToken, routing } = this.config;
    return routing
      ? routeByGroups(logits, this.parameters.expertBias!, numExpertsPerToken, routing)
      : routeTopExperts(logits, numExpertsPerToken);
  }
}
