import * as tf from "@tensorflow/tfjs-core";
// Brings the gradients of the stock operations; tfjs-core alone has none.
import "@tensorflow/tfjs-layers";

/**
 * Largest error of the analytic gradient of `loss` against central differences, relative to the
 * largest entry of the tensor's gradient. The step is a power of two, so that it is exact.
 */
export function gradientError(
  loss: (...tensors: tf.Tensor[]) => tf.Scalar,
  tensors: tf.Tensor[],
  step = 2 ** -7,
): number {
  return tf.tidy(() => {
    const gradients = tf.grads(loss)(tensors);
    return Math.max(
      ...tensors.map((tensor, which) => {
        const analytic = gradients[which]!.dataSync();
        const values = tensor.dataSync();
        const numeric = values.map((value, i) => {
          const at = (shifted: number): number =>
            tf.tidy(() => {
              const moved = tf.tensor(
                Float32Array.from(values).fill(shifted, i, i + 1),
                tensor.shape,
              );
              return loss(...tensors.map((t, j) => (j === which ? moved : t))).dataSync()[0]!;
            });
          return (at(value + step) - at(value - step)) / (2 * step);
        });
        const scale = Math.max(1e-3, ...analytic.map(Math.abs));
        return Math.max(...analytic.map((g, i) => Math.abs(g - numeric[i]!))) / scale;
      }),
    );
  });
}

/** Largest absolute difference of two tensors. */
export function maxDifference(a: tf.Tensor, b: tf.Tensor): number {
  const x = a.dataSync() as Float32Array;
  const y = b.dataSync();
  return x.reduce((worst, value, i) => Math.max(worst, Math.abs(value - y[i]!)), 0);
}

/** A scalar that depends on every entry of a tensor with a different weight. */
export function weightedSum(x: tf.Tensor): tf.Scalar {
  const weights = Float32Array.from({ length: x.size }, (_, i) => Math.sin(1 + 0.7 * i));
  return tf.sum(tf.mul(x, tf.tensor(weights, x.shape)));
}
