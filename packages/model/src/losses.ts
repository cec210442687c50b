import { softmaxCrossEntropy } from "@levin/kernels";
import { loadBalancingLoss } from "@levin/moe";
import * as tf from "@tensorflow/tfjs-core";
import type { ForwardResult } from "./causal-language-model.ts";

/** Label of positions that carry no loss. */
export const ignoredLabel = -100;

/** Losses of one batch (SPEC section 9), scalars in natural-log units. */
export interface LanguageModelLosses {
  crossEntropy: tf.Scalar;
  loadBalancing: tf.Scalar;
  /** crossEntropy + coefficient · loadBalancing */
  total: tf.Scalar;
}

/**
 * Mean cross entropy where position t predicts `labels[t + 1]`, over all labels but
 * {@link ignoredLabel}.
 *
 * @param logits `[batch, length, vocab]`
 * @param labels `[batch][length]`
 */
export function crossEntropy(
  logits: tf.Tensor3D,
  labels: readonly (readonly number[])[],
): tf.Scalar {
  const count = labels.flatMap((row) => row.slice(1)).filter((label) => label >= 0).length;
  if (count === 0) return tf.scalar(0);
  return tf.div(tf.sum(tokenCrossEntropy(logits, labels)), count) as tf.Scalar;
}

/**
 * Cross entropy of each position with the label behind it, 0 where that is {@link ignoredLabel}.
 *
 * @param logits `[batch, length, vocab]`
 * @param labels `[batch][length]`
 * @returns `[batch · length]`
 */
export function tokenCrossEntropy(
  logits: tf.Tensor3D,
  labels: readonly (readonly number[])[],
): tf.Tensor1D {
  const [batch, length, vocab] = logits.shape;
  const targets = labels.flatMap((row) =>
    [...row.slice(1), ignoredLabel].map((label) => (label === ignoredLabel ? -1 : label)),
  );
  return softmaxCrossEntropy(
    tf.reshape(logits, [batch * length, vocab]),
    tf.tensor1d(targets, "int32"),
  );
}

/** Cross entropy, load-balancing loss and their weighted sum. */
export function languageModelLosses(
  { logits, routers, mask }: ForwardResult,
  labels: readonly (readonly number[])[],
  routerAuxLossCoef: number,
): LanguageModelLosses {
  const entropy = crossEntropy(logits, labels);
  const loadBalancing = loadBalancingLoss(routers, mask);
  const total = tf.add(entropy, tf.mul(loadBalancing, routerAuxLossCoef)) as tf.Scalar;
  return { crossEntropy: entropy, loadBalancing, total };
}
