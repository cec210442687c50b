import type * as tf from "@tensorflow/tfjs-core";
import { KernelShapeError } from "../kernel.ts";
import { weightKind, type WeightKind } from "../quantized/block-layout.ts";
import type { Expert } from "./expert.ts";

/** Kinds of the weights of all experts of a mixture. */
export interface ExpertKinds {
  /** Of gate and up. */
  kind: WeightKind;
  downKind: WeightKind;
}

/**
 * Checks that experts have the same sizes and kinds of weights.
 *
 * @param hidden numbers of a token
 * @throws KernelShapeError when shapes do not fit, or kinds of weights differ
 */
export function expertKinds(
  kernel: string,
  experts: readonly Expert[],
  hidden: number,
): ExpertKinds {
  const [first] = experts;
  if (!first) throw new KernelShapeError(kernel, "one expert or more", "none");
  const intermediate = first.gate.shape[0]!;
  const kind = weightKind(kernel, first.gate, [intermediate, hidden]);
  const downKind = weightKind(kernel, first.down, [hidden, intermediate]);
  experts.forEach(({ gate, up, down }, e) => {
    for (const [name, weight, model] of [
      ["gate", gate, first.gate],
      ["up", up, first.gate],
      ["down", down, first.down],
    ] as const) {
      if (!isLike(weight, model)) {
        throw new KernelShapeError(
          kernel,
          `${name} of expert ${e} like ${name === "down" ? "down" : "gate"} of the first, ${model.dtype} [${model.shape}]`,
          `${weight.dtype} [${weight.shape}]`,
        );
      }
    }
  });
  return { kind, downKind };
}

function isLike(weight: tf.Tensor, model: tf.Tensor): boolean {
  return (
    weight.dtype === model.dtype &&
    weight.shape.length === 2 &&
    weight.shape[0] === model.shape[0] &&
    weight.shape[1] === model.shape[1]
  );
}
