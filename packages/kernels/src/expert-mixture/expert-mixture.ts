import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";
import { project } from "../linear/matrix-product.ts";
import type { Expert } from "./expert.ts";
import { expertKinds } from "./expert-kinds.ts";
import type { Routing } from "./route-top-experts.ts";
import { expertMixtureGradient } from "./expert-mixture-gradient.ts";
import { expertOf, floatExperts, rowsOf, silu, sumOverChoices } from "./expert-rows.ts";
import { groupByExpert } from "./group-by-expert.ts";

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
  gradient: ([upstream], inputs, { count }) =>
    expertMixtureGradient(upstream!, floatExperts(inputs, count)),
});

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
  expertKinds("expertMixture", experts, hidden);
  const fits = chosen.shape[0] === x.shape[0] && chosen.shape.join() === weights.shape.join();
  if (!fits || chosen.dtype !== "int32") {
    throw new KernelShapeError(
      "expertMixture",
      `routing of int32 experts [${x.shape[0]}, k] and as many weights`,
      `${chosen.dtype} [${chosen.shape}] and [${weights.shape}]`,
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
