import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../kernel.ts";

const run = defineKernel<Record<string, never>>({
  name: "LevinSilu",
  reference: ({ x }) => [tf.mul(x!, tf.sigmoid(x!))],
  gradient: ([upstream], { x }) => ({ x: runGradient({ upstream, x }, {})[0]! }),
});

const runGradient = defineKernel<Record<string, never>>({
  name: "LevinSiluGradient",
  reference: ({ upstream, x }) => {
    const sigmoid = tf.sigmoid(x!);
    const slope = tf.mul(sigmoid, tf.add(tf.mul(x!, tf.sub(1, sigmoid)), 1));
    return [tf.mul(upstream!, slope)];
  },
});

/** `x ⊙ σ(x)`, the activation of queries, keys and values. */
export function silu<T extends tf.Tensor>(x: T): T {
  return run({ x }, {})[0] as T;
}
