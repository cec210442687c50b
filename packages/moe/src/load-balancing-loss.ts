import * as tf from "@tensorflow/tfjs-core";
import type { RouterOutput } from "./mixture-of-experts.ts";

/**
 * Load-balancing loss E · Σ_e F_e P_e over all layers and real tokens (SPEC section 9): F_e counts
 * how often expert e was chosen, P_e is its mean probability. It equals k when balanced; only P
 * carries gradient. Without routers it is 0.
 *
 * @param routers decisions of each layer, over the same tokens
 * @param mask `[batch, length]` of these tokens, 1 = real; absent: all real
 */
export function loadBalancingLoss(
  routers: readonly Pick<RouterOutput, "logits" | "experts">[],
  mask?: tf.Tensor,
): tf.Scalar {
  if (routers.length === 0) return tf.scalar(0);
  return tf.tidy(() => {
    const numExperts = routers[0]!.logits.shape[1];
    const logits = tf.concat(
      routers.map((router) => router.logits),
      0,
    );
    const perLayer = mask ? tf.reshape(mask, [-1, 1]) : tf.ones([routers[0]!.logits.shape[0], 1]);
    const weights = tf.tile(perLayer as tf.Tensor2D, [routers.length, 1]);
    const total = tf.sum(weights);
    const probability = tf.div(tf.sum(tf.mul(tf.softmax(logits), weights), 0), total);
    const share = tf.div(choices(routers, weights, numExperts), total);
    return tf.mul(tf.sum(tf.mul(share, probability)), numExperts) as tf.Scalar;
  });
}

/** How often real tokens chose each expert, `[experts]`. */
function choices(
  routers: readonly Pick<RouterOutput, "experts">[],
  weights: tf.Tensor,
  numExperts: number,
): tf.Tensor {
  const experts = tf.concat(
    routers.map((router) => router.experts),
    0,
  );
  // `oneHot` refuses a single expert.
  const chosen = numExperts === 1 ? tf.ones([...experts.shape, 1]) : tf.oneHot(experts, numExperts);
  return tf.sum(tf.mul(tf.cast(chosen, "float32"), tf.expandDims(weights, 2)), [0, 1]);
}
