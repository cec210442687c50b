import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";

const run = defineKernel<Record<string, never>>({
  name: "LevinSoftmaxCrossEntropy",
  reference: ({ logits, targets }) => [
    tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits!), places(targets!, logits!)), 1)),
  ],
  gradient: ([upstream], inputs) => ({ logits: runGradient({ upstream, ...inputs }, {})[0]! }),
});

const runGradient = defineKernel<Record<string, never>>({
  name: "LevinSoftmaxCrossEntropyGradient",
  reference: ({ upstream, logits, targets }) => {
    const chosen = places(targets!, logits!);
    const counts = tf.sum(chosen, 1, true);
    const difference = tf.sub(tf.mul(tf.softmax(logits!), counts), chosen);
    return [tf.mul(tf.expandDims(upstream!, 1), difference)];
  },
});

/** 1 at each row's target; a target of −1 has no place, so its row is 0. */
function places(targets: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const classes = tf.range(0, logits.shape[1]!, 1, "int32");
  return tf.cast(tf.equal(tf.expandDims(targets, 1), classes), "float32");
}

/**
 * Cross entropy of each row in natural-log units: `ln Σ exp(logits) − logits[target]`.
 *
 * @param logits `[rows, classes]`
 * @param targets `[rows]` int32, each in `0..classes−1`, or −1 for a row whose loss is 0
 * @returns `[rows]`
 * @throws KernelShapeError when rows differ or `targets` is not int32
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  if (logits.rank !== 2 || targets.shape.join() !== `${logits.shape[0]}`) {
    throw new KernelShapeError(
      "softmaxCrossEntropy",
      "logits [rows, classes] and targets [rows]",
      `[${logits.shape}] and [${targets.shape}]`,
    );
  }
  if (targets.dtype !== "int32") {
    throw new KernelShapeError("softmaxCrossEntropy", "targets int32", targets.dtype);
  }
  return run({ logits, targets }, {})[0] as tf.Tensor1D;
}
