import * as tf from "@tensorflow/tfjs-core";

/**
 * x · weightᵀ for `[rows, in]` and `[out, in]`.
 * The wasm backend multiplies by XNNPACK only when neither operand is transposed, else by plain
 * loops that take about seven times as long; so there the result is transposed, not the weight.
 */
export function project(x: tf.Tensor2D, weight: tf.Tensor): tf.Tensor2D {
  return tf.getBackend() === "wasm"
    ? tf.transpose(tf.matMul(weight as tf.Tensor2D, tf.transpose(x)))
    : tf.matMul(x, weight as tf.Tensor2D, false, true);
}

/** aᵀ · b for `[rows, n]` and `[rows, m]`: the gradient of a weight. */
export function outerSum(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  return tf.getBackend() === "wasm" ? tf.matMul(tf.transpose(a), b) : tf.matMul(a, b, true, false);
}
