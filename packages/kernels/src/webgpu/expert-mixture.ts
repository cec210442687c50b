import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tf from "@tensorflow/tfjs-core";
import type { Expert } from "../expert-mixture/expert.ts";
import { expertKinds, type ExpertKinds } from "../expert-mixture/expert-kinds.ts";
import { expertOf } from "../expert-mixture/expert-rows.ts";
import { activatedRows, downRows, sumOfChoices } from "./expert-mixture-rows.ts";
import { activatedStep, downStep } from "./expert-mixture-step.ts";
import { groupedChoices } from "./group-choices.ts";
import type { WebGpuKernel } from "./register-fused.ts";
import { release } from "./run-shader.ts";

/** What the dispatches of one mixture share. */
export interface Mixture extends ExpertKinds {
  backend: WebGPUBackend;
  x: tf.Tensor;
  /** `[tokens, k]` int32. */
  chosen: tf.Tensor;
  weights: tf.Tensor;
  experts: Expert[];
  tokens: number;
  k: number;
  hidden: number;
  intermediate: number;
}

/** Up to so many tokens each choice reads its expert's weights in a stream of its own. */
const fewTokens = 4;

/** Every token meets only its experts, and the host never learns which they are. */
export const webGpuExpertMixture: WebGpuKernel = {
  name: "LevinExpertMixture",
  run: (backend, inputs, { count }: { count: number }) => {
    const { x, experts: chosen, weights } = inputs as Record<string, tf.Tensor>;
    const [tokens, hidden] = x!.shape as [number, number];
    const experts = Array.from({ length: count }, (_, e) => expertOf(inputs, e));
    const mixture: Mixture = {
      ...expertKinds("expertMixture", experts, hidden),
      ...{ backend, x: x!, chosen: chosen!, weights: weights!, experts, tokens, hidden },
      k: chosen!.shape[1]!,
      intermediate: experts[0]!.gate.shape[0]!,
    };
    return [tokens <= fewTokens ? mixtureStep(mixture) : mixtureOfRows(mixture)];
  },
};

function mixtureStep(mixture: Mixture): tf.TensorInfo {
  const activated = activatedStep(mixture);
  const output = downStep(mixture, activated);
  release(mixture.backend, activated);
  return output;
}

function mixtureOfRows(mixture: Mixture): tf.TensorInfo {
  const groups = groupedChoices(mixture.backend, mixture.chosen, mixture.experts.length);
  const activated = activatedRows(mixture, groups);
  const outputs = downRows(mixture, groups, activated);
  const sums = sumOfChoices(mixture, outputs);
  release(mixture.backend, groups, activated, outputs);
  return sums;
}
