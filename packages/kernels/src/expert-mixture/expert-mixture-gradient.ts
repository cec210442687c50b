import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelInputs } from "../kernel.ts";
import { outerSum, project, projectBack } from "../linear/matrix-product.ts";
import { expertOf, rowsOf, sumOverChoices } from "./expert-rows.ts";
import { groupByExpert } from "./group-by-expert.ts";

/** Names of the inputs that have a gradient, in the order of the kernel's outputs. */
export function differentiable(inputs: KernelInputs): string[] {
  return Object.keys(inputs).filter((name) => name !== "experts" && name !== "upstream");
}

const run = defineKernel<Record<string, never>>({
  name: "LevinExpertMixtureGradient",
  reference: ({ upstream, ...inputs }) => {
    const gradients = composed(upstream!, inputs);
    return differentiable(inputs).map((name) => gradients[name] ?? tf.zerosLike(inputs[name]!));
  },
});

/** Gradients of `expertMixture` by input name, given that of its output `[tokens, hidden]`. */
export function expertMixtureGradient(upstream: tf.Tensor, inputs: KernelInputs): KernelInputs {
  const gradients = run({ upstream, ...inputs }, {});
  return Object.fromEntries(differentiable(inputs).map((name, i) => [name, gradients[i]!]));
}

/** Gradients of x, weights and every expert in use, composed of stock operations. */
function composed(upstream: tf.Tensor, inputs: KernelInputs): KernelInputs {
  const { x, experts, weights } = inputs;
  const { groups, order } = groupByExpert(experts!);
  const chosenWeights = tf.reshape(weights!, [-1, 1]);
  const gradients: KernelInputs = {};
  const inputParts: tf.Tensor2D[] = [];
  const weightParts: tf.Tensor[] = [];
  for (const group of groups) {
    const { gate, up, down } = expertOf(inputs, group.expert);
    const rows = rowsOf(x!, group);
    const gated = project(rows, gate);
    const linear = project(rows, up);
    const sigmoid = tf.sigmoid(gated);
    const activated = tf.mul(gated, sigmoid);
    const inner = tf.mul(activated, linear) as tf.Tensor2D;
    const outgoing = rowsOf(upstream, group);
    weightParts.push(tf.sum(tf.mul(project(inner, down), outgoing), 1));
    const weighted = tf.mul(outgoing, tf.gather(chosenWeights, group.choices)) as tf.Tensor2D;
    const innerGradient = projectBack(weighted, down);
    const upGradient = tf.mul(innerGradient, activated) as tf.Tensor2D;
    // silu'(g) = σ(g) (1 + g (1 − σ(g)))
    const slope = tf.mul(sigmoid, tf.add(1, tf.mul(gated, tf.sub(1, sigmoid))));
    const gateGradient = tf.mul(tf.mul(innerGradient, linear), slope) as tf.Tensor2D;
    gradients[`down.${group.expert}`] = outerSum(weighted, inner);
    gradients[`gate.${group.expert}`] = outerSum(gateGradient, rows);
    gradients[`up.${group.expert}`] = outerSum(upGradient, rows);
    inputParts.push(tf.add(projectBack(gateGradient, gate), projectBack(upGradient, up)));
  }
  gradients["x"] = sumOverChoices(tf.concat(inputParts, 0), order, tf.onesLike(weights!));
  gradients["weights"] = tf.reshape(tf.gather(tf.concat(weightParts, 0), order), weights!.shape);
  return gradients;
}
