import { linear } from "@levin/kernels";
import { pooledStates, type CausalLanguageModel } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import type { AnswerKind } from "../suites/benchmark-task.ts";

/** How a text's hidden states become one. */
export type Pooling = "mean" | "last";

/**
 * A linear layer on a language model's pooled hidden states: a number for each class, or one for a
 * score or a choice. New heads are zero, so that nothing is decided before it is learned.
 */
export class AnswerHead {
  readonly pooling: Pooling;
  /** `head.weight` `[outputs, hidden]` and `head.bias` `[outputs]`; owned by the head. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;

  constructor(parts: Pick<AnswerHead, "pooling" | "parameters">) {
    this.pooling = parts.pooling;
    this.parameters = parts.parameters;
  }

  static create(hidden: number, kind: AnswerKind, pooling: Pooling): AnswerHead {
    const outputs = kind.type === "class" ? kind.names.length : 1;
    const zeros = (shape: number[]): tf.Variable => tf.tidy(() => tf.variable(tf.zeros(shape)));
    const parameters = new Map([
      ["head.weight", zeros([outputs, hidden])],
      ["head.bias", zeros([outputs])],
    ]);
    return new AnswerHead({ pooling, parameters });
  }

  /** `[texts, outputs]`, differentiable in head and model. */
  outputs(model: CausalLanguageModel, texts: readonly (readonly number[])[]): tf.Tensor2D {
    const states = pooledStates(model, texts, this.pooling);
    const product = linear(states, this.parameters.get("head.weight") as unknown as tf.Tensor2D);
    return tf.add(product, this.parameters.get("head.bias")!);
  }

  dispose(): void {
    for (const variable of this.parameters.values()) variable.dispose();
  }
}
