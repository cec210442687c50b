import * as tf from "@tensorflow/tfjs-core";
import type { KernelInputs, RunKernel } from "../kernel.ts";
import type { LightningAttributes } from "./lightning-attention.ts";

/** The inputs that have a gradient, in the order in which the gradients are returned. */
export function differentiable(inputs: KernelInputs): string[] {
  return ["queries", "keys", "values", ...(inputs["state"] ? ["state"] : [])];
}

/**
 * The backward pass is lightning attention again. The gradient of the queries runs forward with
 * values as keys; those of keys and values run backward in time, where the gradient of the state
 * obeys G_t = λ G_{t+1} + q_tᵀ do_t. The reversed pass decays once too often before it meets the
 * outgoing state, hence the division and, at the other end, the multiplication by λ.
 */
export function lightningAttentionGradient(
  forward: RunKernel<LightningAttributes>,
  inputs: KernelInputs,
  attributes: LightningAttributes,
): tf.Tensor[] {
  const { queries, keys, values, outputGradient, nextGradient, state, mask } = inputs as {
    [name: string]: tf.Tensor | undefined;
  } & Record<"queries" | "keys" | "values" | "outputGradient" | "nextGradient", tf.Tensor>;
  const attend = (
    q: tf.Tensor,
    k: tf.Tensor,
    v: tf.Tensor,
    initial: tf.Tensor | undefined,
    m: tf.Tensor | undefined,
  ): [tf.Tensor, tf.Tensor] =>
    forward({ queries: q, keys: k, values: v, state: initial, mask: m }, attributes) as [
      tf.Tensor,
      tf.Tensor,
    ];
  const backward = (x: tf.Tensor): tf.Tensor => tf.reverse(x, 2);
  const backwardMask = mask && tf.reverse(mask, 1);
  const decay = tf.tensor4d(
    attributes.slopes.map((slope) => Math.exp(-slope)),
    [1, attributes.slopes.length, 1, 1],
  );
  const outgoing = tf.div(nextGradient, decay);
  const [q, k, v, o] = [queries, keys, values, outputGradient].map(backward) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const [queriesGradient] = attend(outputGradient, values, keys, state && swapLast(state), mask);
  const [valuesGradient, incoming] = attend(k, q, o, outgoing, backwardMask);
  const [keysGradient] = attend(v, o, q, swapLast(outgoing), backwardMask);
  return [
    queriesGradient,
    backward(keysGradient),
    backward(valuesGradient),
    ...(state ? [tf.mul(incoming, decay)] : []),
  ];
}

function swapLast(x: tf.Tensor): tf.Tensor {
  return tf.transpose(x, [0, 1, 3, 2]);
}
