import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError, type RunKernel } from "../kernel.ts";

/** The experts of each token, the best first, and their renormalised weights. */
export interface Routing {
  /** `[tokens, k]` int32. */
  experts: tf.Tensor2D;
  /** `[tokens, k]` float32, of a constant sum. */
  weights: tf.Tensor2D;
}

const run: RunKernel<{ k: number }> = defineKernel<{ k: number }>({
  name: "LevinRouteTopExperts",
  // Softmax over all experts, renormalised over the chosen ones, is softmax over the chosen ones.
  reference: ({ logits }, { k }) => {
    const { values, indices } = tf.topk(logits as tf.Tensor2D, k, true);
    return [indices, tf.softmax(values)];
  },
  gradient: ([, upstream], { logits }, { k }) => {
    const [experts, weights] = run({ logits }, { k });
    const count = logits!.shape[1]!;
    return { logits: runGradient({ upstream, experts, weights }, { count })[0]! };
  },
});

const runGradient = defineKernel<{ count: number }>({
  name: "LevinRouteTopExpertsGradient",
  reference: ({ upstream, experts, weights }, { count }) => {
    const weighted = tf.mul(upstream!, weights!);
    const chosen = tf.sub(weighted, tf.mul(weights!, tf.sum(weighted, -1, true)));
    // The weight of a single expert is 1 whatever its logit; `oneHot` refuses it.
    if (count === 1) return [tf.zerosLike(weighted)];
    const places = tf.oneHot(tf.cast(experts!, "int32"), count);
    return [tf.sum(tf.mul(tf.expandDims(chosen, 2), tf.cast(places, "float32")), 1)];
  },
});

/**
 * Chooses the k most probable experts of each token (SPEC section 8); ties prefer the lower index.
 *
 * @param logits `[tokens, experts]`
 * @throws KernelShapeError when k is not in `1..experts`
 */
export function routeTopExperts(logits: tf.Tensor2D, k: number): Routing {
  if (!(k >= 1 && k <= logits.shape[1])) {
    throw new KernelShapeError("routeTopExperts", `k in 1..${logits.shape[1]}`, String(k));
  }
  const [experts, weights] = run({ logits }, { k }) as [tf.Tensor2D, tf.Tensor2D];
  return { experts, weights };
}
