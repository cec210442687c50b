import { linear, silu, type Expert } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";

/** A gated block that sees every token: down · (silu(gate · x) ⊙ (up · x)), or the same without SiLU. */
export class DenseFeedForward {
  readonly parameters: Expert;
  readonly #activation: "silu" | "none";

  /** @param parameters weights as those of one expert */
  constructor(parameters: Expert, activation: "silu" | "none" = "silu") {
    this.parameters = parameters;
    this.#activation = activation;
  }

  /**
   * @param x `[..., hidden]`
   * @returns `output` of the same shape
   */
  forward<T extends tf.Tensor>(x: T): { output: T } {
    const { gate, up, down } = this.parameters;
    return tf.tidy(() => {
      const gated = linear(x, gate);
      const active = this.#activation === "silu" ? silu(gated) : gated;
      return { output: linear(tf.mul(active, linear(x, up)), down) as T };
    });
  }
}
