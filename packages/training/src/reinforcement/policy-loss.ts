import * as tf from "@tensorflow/tfjs-core";

/** How an update is kept near the policy that drew the tokens. */
export interface Clipping {
  /**
   * `cispo` clips the importance weight and keeps the gradient of every token (paper equations 4
   * and 5); `grpo` clips as PPO does, which drops tokens that moved too far (equation 1).
   */
  algorithm: "cispo" | "grpo";
  /** Weights are at least 1 − `low`; Infinity is no bound, as in the paper. */
  low: number;
  /** Weights are at most 1 + `high`. */
  high: number;
}

/** Of each token that was drawn; all `[tokens]`. */
export interface DrawnTokens {
  /** Under the policy that is trained. */
  logProbabilities: tf.Tensor1D;
  /** Under the policy that drew them. */
  oldLogProbabilities: tf.Tensor1D;
  /** Of the answer that a token is part of. */
  advantages: tf.Tensor1D;
}

/**
 * The negative objective of each token, `[tokens]`; its mean over all tokens of all answers is the
 * loss (token-level normalisation, no KL term).
 */
export function policyLoss(tokens: DrawnTokens, clipping: Clipping): tf.Tensor1D {
  const { logProbabilities, advantages } = tokens;
  const weights = importanceWeights(tokens);
  const clipped = tf.clipByValue(weights, 1 - clipping.low, 1 + clipping.high);
  const objective =
    clipping.algorithm === "cispo"
      ? tf.mul(tf.mul(stopGradient(clipped), advantages), logProbabilities)
      : tf.minimum(tf.mul(weights, advantages), tf.mul(clipped, advantages));
  return tf.neg(objective) as tf.Tensor1D;
}

/** r of the paper: how much likelier each token is now than when it was drawn. */
export function importanceWeights({
  logProbabilities,
  oldLogProbabilities,
}: Omit<DrawnTokens, "advantages">): tf.Tensor1D {
  return tf.exp(tf.sub(logProbabilities, oldLogProbabilities));
}

/** The same numbers, as constants of differentiation: sg(·) of the paper. */
const stopGradient = tf.customGrad((x) => ({
  value: tf.clone(x as tf.Tensor),
  gradFunc: (upstream: tf.Tensor) => tf.zerosLike(upstream),
})) as (x: tf.Tensor) => tf.Tensor;
