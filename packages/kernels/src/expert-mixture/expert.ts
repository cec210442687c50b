import type * as tf from "@tensorflow/tfjs-core";

/**
 * One SwiGLU expert: y = down · (silu(gate · x) ⊙ (up · x)). On disk: w1, w3, w2. Weights are float32
 * or quantised blocks of these shapes.
 */
export interface Expert {
  /** `[intermediate, hidden]`, w1. */
  gate: tf.Tensor;
  /** `[intermediate, hidden]`, w3. */
  up: tf.Tensor;
  /** `[hidden, intermediate]`, w2. */
  down: tf.Tensor;
}
