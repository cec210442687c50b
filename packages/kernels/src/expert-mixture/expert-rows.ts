import * as tf from "@tensorflow/tfjs-core";
import type { KernelInputs } from "../kernel.ts";
import { floatWeight } from "../quantized/dequantize.ts";
import type { Expert } from "./expert.ts";
import type { ExpertGroup } from "./group-by-expert.ts";

/** Brings the rows back from expert order and adds the k results of each token, weighted. */
export function sumOverChoices(rows: tf.Tensor, order: tf.Tensor1D, weights: tf.Tensor): tf.Tensor {
  const [tokens, k] = weights.shape as [number, number];
  const byToken = tf.reshape(tf.gather(rows, order), [tokens, k, -1]);
  return tf.sum(tf.mul(byToken, tf.expandDims(weights, 2)), 1);
}

export function rowsOf(x: tf.Tensor, group: ExpertGroup): tf.Tensor2D {
  return x.shape[0] === 1 ? (x as tf.Tensor2D) : tf.gather(x as tf.Tensor2D, group.tokens);
}

export function expertOf(inputs: KernelInputs, expert: number): Expert {
  return {
    gate: inputs[`gate.${expert}`]!,
    up: inputs[`up.${expert}`]!,
    down: inputs[`down.${expert}`]!,
  };
}

/**
 * The inputs with quantised experts as what they stand for. Their gradients then have other shapes than
 * the words, but nobody can ask for gradients of whole numbers.
 */
export function floatExperts(inputs: KernelInputs, count: number): KernelInputs {
  const floats = { ...inputs };
  const [hidden, intermediate] = [inputs["x"]!.shape[1]!, inputs["gate.0"]!.shape[0]!];
  for (let e = 0; e < count; e++) {
    for (const [name, columns] of [
      [`gate.${e}`, hidden],
      [`up.${e}`, hidden],
      [`down.${e}`, intermediate],
    ] as const) {
      floats[name] = floatWeight("expertMixture", inputs[name]!, columns);
    }
  }
  return floats;
}

export function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x));
}
