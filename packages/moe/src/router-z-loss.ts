import * as tf from "@tensorflow/tfjs-core";

/**
 * Mean of (log Σ exp logits)² over tokens: keeps router logits small (ST-MoE, arXiv 2202.08906).
 *
 * @param logits `[tokens, experts]`
 */
export function routerZLoss(logits: tf.Tensor2D): tf.Scalar {
  return tf.tidy(() => tf.mean(tf.square(tf.logSumExp(logits, -1))));
}
