import * as tf from "@tensorflow/tfjs-core";
import { differentiable } from "../expert-mixture/expert-mixture-gradient.ts";
import { expertOf, silu } from "../expert-mixture/expert-rows.ts";
import type { KernelInputs } from "../kernel.ts";
import { outerSum, project, projectBack } from "../linear/matrix-product.ts";
import type { WebGpuKernel } from "./register-fused.ts";

/**
 * Composed like the reference, but each expert goes through all tokens, those that did not choose it
 * with weight 0: that costs experts / k times the work and spares the host from knowing the routing.
 */
export const webGpuExpertMixtureGradient: WebGpuKernel = {
  name: "LevinExpertMixtureGradient",
  run: (_backend, { upstream, ...inputs }) =>
    tf.tidy(() => {
      const names = differentiable(inputs);
      const gradients: KernelInputs = {};
      const experts = (names.length - 2) / 3;
      for (let e = 0; e < experts; e++) addGradients(gradients, inputs, upstream!, e);
      return names.map((name) => gradients[name]!);
    }),
};

/** Adds the part of one expert to the gradients of x and weights, and sets those of its own weights. */
function addGradients(
  gradients: KernelInputs,
  inputs: KernelInputs,
  upstream: tf.Tensor,
  expert: number,
): void {
  const { x, experts, weights } = inputs as Record<"x" | "experts" | "weights", tf.Tensor>;
  const { gate, up, down } = expertOf(inputs, expert);
  const choice = tf.cast(tf.equal(experts, expert), "float32");
  const gated = project(x, gate);
  const linear = project(x, up);
  const sigmoid = tf.sigmoid(gated);
  const activated = silu(gated);
  const inner = tf.mul(activated, linear);
  const weighted = tf.mul(upstream, tf.sum(tf.mul(choice, weights), 1, true));
  const innerGradient = projectBack(weighted, down);
  const upGradient = tf.mul(innerGradient, activated);
  // silu'(g) = σ(g) (1 + g (1 − σ(g)))
  const slope = tf.mul(sigmoid, tf.add(1, tf.mul(gated, tf.sub(1, sigmoid))));
  const gateGradient = tf.mul(tf.mul(innerGradient, linear), slope);
  gradients[`down.${expert}`] = outerSum(weighted, inner);
  gradients[`gate.${expert}`] = outerSum(gateGradient, x);
  gradients[`up.${expert}`] = outerSum(upGradient, x);
  const add = (name: string, part: tf.Tensor): void => {
    gradients[name] = gradients[name] ? tf.add(gradients[name], part) : part;
  };
  add("x", tf.add(projectBack(gateGradient, gate), projectBack(upGradient, up)));
  add("weights", tf.mul(choice, tf.sum(tf.mul(project(inner, down), upstream), 1, true)));
}
