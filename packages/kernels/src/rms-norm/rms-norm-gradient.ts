import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../kernel.ts";

const run = defineKernel<{ epsilon: number }>({
  name: "LevinRmsNormGradient",
  reference: ({ upstream, x, weight }, { epsilon }) => {
    const scale = inverseRootMeanSquare(x!, epsilon);
    const normalised = tf.mul(x!, scale);
    const weighted = tf.mul(upstream!, weight!);
    // d/dx of x·r: the part of the gradient along x is removed, as r falls when x grows.
    const along = tf.mean(tf.mul(weighted, normalised), -1, true);
    const leading = x!.shape.slice(0, -1).map((_, axis) => axis);
    return [
      tf.mul(tf.sub(weighted, tf.mul(normalised, along)), scale),
      tf.sum(tf.mul(upstream!, normalised), leading),
    ];
  },
});

export function inverseRootMeanSquare(x: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
}

/** Gradients of `rmsNorm`, given that of its output. */
export function rmsNormGradient(
  upstream: tf.Tensor,
  x: tf.Tensor,
  weight: tf.Tensor,
  epsilon: number,
): { x: tf.Tensor; weight: tf.Tensor } {
  const gradients = run({ upstream, x, weight }, { epsilon });
  return { x: gradients[0]!, weight: gradients[1]! };
}
