import { linear, silu, type Expert } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";

/** A SwiGLU block that sees every token: down · (silu(gate · x) ⊙ (up · x)). */
export class DenseFeedForward {
  readonly parameters: Expert;

  /** @param parameters weights as those of one expert */
  constructor(parameters: Expert) {
    this.parameters = parameters;
  }

  /**
   * @param x `[..., hidden]`
   * @returns `output` of the same shape
   */
  forward<T extends tf.Tensor>(x: T): { output: T } {
    const { gate, up, down } = this.parameters;
    return tf.tidy(() => ({
      output: linear(tf.mul(silu(linear(x, gate)), linear(x, up)), down) as T,
    }));
  }
}
