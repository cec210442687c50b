import { linear, softmaxCrossEntropy } from "@levin/kernels";
import type { CausalLanguageModel } from "@levin/model";
import type { Trainable } from "@levin/training";
import * as tf from "@tensorflow/tfjs-core";
import type { AnswerKind } from "../suites/benchmark-task.ts";
import type { AnswerHead } from "./answer-head.ts";

/** An item as a head reads it: one text, or one for each choice. */
export interface HeadExample {
  /** Token ids of each text. */
  texts: readonly (readonly number[])[];
  label: number;
}

export interface HeadBatch {
  examples: readonly HeadExample[];
  /** Examples: what losses are means over. */
  targets: number;
}

/**
 * What fine-tuning minimises: cross entropy of classes or choices, the squared error of scores on a
 * scale of 0 to 1. Both the model's parameters, which must be variables, and the head's are trained.
 */
export function headObjective(
  head: AnswerHead,
  kind: AnswerKind,
): (model: CausalLanguageModel) => Trainable<HeadBatch, "loss"> {
  return (model) => ({
    parameters: new Map([
      ...(model.parameters as ReadonlyMap<string, tf.Variable>),
      ...head.parameters,
    ]),
    losses: ({ examples }) => {
      const outputs = head.outputs(
        model,
        examples.flatMap(({ texts }) => texts),
      );
      const loss = lossOf(outputs, examples, kind);
      return { loss, total: loss };
    },
  });
}

function lossOf(
  outputs: tf.Tensor2D,
  examples: readonly HeadExample[],
  kind: AnswerKind,
): tf.Scalar {
  const labels = examples.map(({ label }) => label);
  if (kind.type === "score") {
    const wanted = labels.map((label) => (label - kind.lowest) / (kind.highest - kind.lowest));
    const errors = tf.sub(tf.reshape(outputs, [-1]), tf.tensor1d(wanted));
    return tf.mean(tf.square(errors));
  }
  const logits = kind.type === "class" ? outputs : choiceLogits(outputs, examples);
  return tf.mean(softmaxCrossEntropy(logits, tf.tensor1d(labels, "int32")));
}

/** Below any output, so that a place without a choice has no share. */
const noChoice = -1e9;

/** Outputs of the texts, one for each choice, as `[examples, most choices]`. */
function choiceLogits(outputs: tf.Tensor2D, examples: readonly HeadExample[]): tf.Tensor2D {
  const most = Math.max(...examples.map(({ texts }) => texts.length));
  const [texts] = outputs.shape;
  const places = new Float32Array(examples.length * most * texts);
  const missing = new Float32Array(examples.length * most).fill(noChoice);
  let text = 0;
  for (const [i, example] of examples.entries()) {
    for (let choice = 0; choice < example.texts.length; choice++, text++) {
      places[(i * most + choice) * texts + text] = 1;
      missing[i * most + choice] = 0;
    }
  }
  const moved = linear(
    tf.tensor2d(places, [examples.length * most, texts]),
    tf.reshape(outputs, [1, texts]),
  );
  const shape: [number, number] = [examples.length, most];
  return tf.add(tf.reshape(moved, shape), tf.tensor2d(missing, shape));
}
