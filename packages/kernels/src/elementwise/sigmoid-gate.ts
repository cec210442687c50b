import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";

const run = defineKernel<Record<string, never>>({
  name: "LevinSigmoidGate",
  reference: ({ x, gate }) => [tf.mul(x!, tf.sigmoid(gate!))],
  gradient: ([upstream], inputs) => {
    const [x, gate] = runGradient({ upstream, ...inputs }, {}) as [tf.Tensor, tf.Tensor];
    return { x, gate };
  },
});

const runGradient = defineKernel<Record<string, never>>({
  name: "LevinSigmoidGateGradient",
  reference: ({ upstream, x, gate }) => {
    const sigmoid = tf.sigmoid(gate!);
    const gated = tf.mul(upstream!, sigmoid);
    return [gated, tf.mul(gated, tf.mul(x!, tf.sub(1, sigmoid)))];
  },
});

/**
 * `σ(gate) ⊙ x`: a gate lets through between none and all of each number.
 *
 * @throws KernelShapeError when the shapes differ
 */
export function sigmoidGate<T extends tf.Tensor>(x: T, gate: tf.Tensor): T {
  if (gate.shape.join() !== x.shape.join()) {
    throw new KernelShapeError("sigmoidGate", `gate [${x.shape}]`, `[${gate.shape}]`);
  }
  return run({ x, gate }, {})[0] as T;
}
