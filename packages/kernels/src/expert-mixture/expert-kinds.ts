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
  for (let e = 0; e < experts.length; e++) {
    const name = unlike(experts[e]!, first);
    if (name) throw differs(kernel, name, e, experts);
  }
  return { kind, downKind };
}

/** The weight of an expert that is not as those of the first. Every token asks this of every expert. */
function unlike({ gate, up, down }: Expert, first: Expert): keyof Expert | undefined {
  if (!isLike(gate, first.gate)) return "gate";
  if (!isLike(up, first.gate)) return "up";
  return isLike(down, first.down) ? undefined : "down";
}

function isLike(weight: tf.TensorInfo, model: tf.TensorInfo): boolean {
  const { shape } = weight;
  return (
    weight.dtype === model.dtype &&
    shape.length === 2 &&
    shape[0] === model.shape[0] &&
    shape[1] === model.shape[1]
  );
}

function differs(
  kernel: string,
  name: keyof Expert,
  expert: number,
  experts: readonly Expert[],
): KernelShapeError {
  const part = name === "down" ? "down" : "gate";
  const [model, weight] = [experts[0]![part], experts[expert]![name]];
  return new KernelShapeError(
    kernel,
    `${name} of expert ${expert} like ${part} of the first, ${model.dtype} [${model.shape}]`,
    `${weight.dtype} [${weight.shape}]`,
  );
}
