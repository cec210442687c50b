import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";
import { outerSum, project, projectBack } from "../linear/matrix-product.ts";
import type { KernelInputs } from "../kernel.ts";
import type { Routing } from "./route-top-experts.ts";
import { groupByExpert, type ExpertGroup } from "./group-by-expert.ts";

/** One SwiGLU expert: y = down · (silu(gate · x) ⊙ (up · x)). On disk: w1, w3, w2. */
export interface Expert {
  /** `[intermediate, hidden]`, w1. */
  gate: tf.Tensor;
  /** `[intermediate, hidden]`, w3. */
  up: tf.Tensor;
  /** `[hidden, intermediate]`, w2. */
  down: tf.Tensor;
}

const run = defineKernel<{ count: number }>({
  name: "LevinExpertMixture",
  reference: (inputs) => {
    const { x, weights } = inputs;
    const { groups, order } = groupByExpert(inputs["experts"]!);
    const outputs = groups.map((group) => {
      const { gate, up, down } = expertOf(inputs, group.expert);
      const rows = rowsOf(x!, group);
      const inner = tf.mul(silu(project(rows, gate)), project(rows, up));
      return project(inner as tf.Tensor2D, down);
    });
    return [sumOverChoices(tf.concat(outputs, 0), order, weights!)];
  },
  gradient: ([upstream], inputs) => mixtureGradient(upstream!, inputs),
});

function mixtureGradient(upstream: tf.Tensor, inputs: KernelInputs): KernelInputs {
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

/** Brings the rows back from expert order and adds the k results of each token, weighted. */
function sumOverChoices(rows: tf.Tensor, order: tf.Tensor1D, weights: tf.Tensor): tf.Tensor {
  const [tokens, k] = weights.shape as [number, number];
  const byToken = tf.reshape(tf.gather(rows, order), [tokens, k, -1]);
  return tf.sum(tf.mul(byToken, tf.expandDims(weights, 2)), 1);
}

function rowsOf(x: tf.Tensor, group: ExpertGroup): tf.Tensor2D {
  return x.shape[0] === 1 ? (x as tf.Tensor2D) : tf.gather(x as tf.Tensor2D, group.tokens);
}

function expertOf(inputs: KernelInputs, expert: number): Expert {
  return {
    gate: inputs[`gate.${expert}`]!,
    up: inputs[`up.${expert}`]!,
    down: inputs[`down.${expert}`]!,
  };
}

function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x));
}

/**
 * Weighted sum of the chosen SwiGLU experts of each token; only chosen experts are computed
 * (SPEC section 8).
 *
 * @param x `[tokens, hidden]`
 * @param routing from {@link routeTopExperts}
 * @returns `[tokens, hidden]`
 * @throws KernelShapeError when shapes do not fit together
 */
export function expertMixture(
  x: tf.Tensor2D,
  { experts: chosen, weights }: Routing,
  experts: readonly Expert[],
): tf.Tensor2D {
  const hidden = x.shape[1];
  const intermediate = experts[0]?.gate.shape[0];
  const wide = [intermediate, hidden].join();
  const tall = [hidden, intermediate].join();
  const fits = experts.every(
    ({ gate, up, down }) =>
      gate.shape.join() === wide && up.shape.join() === wide && down.shape.join() === tall,
  );
  if (!fits || chosen.shape[0] !== x.shape[0] || chosen.shape.join() !== weights.shape.join()) {
    throw new KernelShapeError(
      "expertMixture",
      `experts [${wide}], [${wide}], [${tall}] and routing [${x.shape[0]}, k]`,
      `${experts.length} experts of which one or more differ, routing [${chosen.shape}] and [${weights.shape}]`,
    );
  }
  const named = experts.flatMap(({ gate, up, down }, e): [string, tf.Tensor][] => [
    [`gate.${e}`, gate],
    [`up.${e}`, up],
    [`down.${e}`, down],
  ]);
  return run(
    { x, experts: chosen, weights, ...Object.fromEntries(named) },
    { count: experts.length },
  )[0] as tf.Tensor2D;
}
