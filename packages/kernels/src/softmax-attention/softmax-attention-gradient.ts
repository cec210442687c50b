import * as tf from "@tensorflow/tfjs-core";
import type { KernelInputs } from "../kernel.ts";
import { attentionWeights, gather, group, ungroup } from "./attention-weights.ts";
import type { SoftmaxAttributes } from "./softmax-attention.ts";

/** The inputs that have a gradient, in the order in which the gradients are returned. */
export function differentiable({ segments }: SoftmaxAttributes): string[] {
  return ["queries", ...segmentNames("keys", segments), ...segmentNames("values", segments)];
}

/** Names of the segments of keys or values among the inputs. */
export function segmentNames(name: string, segments: number): string[] {
  return Array.from({ length: segments }, (_, i) => `${name}.${i}`);
}

/** dS = P ⊙ (dO Vᵀ − Σ P ⊙ dO Vᵀ) / √headDim; dQ = dS K, dK = dSᵀ Q, dV = Pᵀ dO. */
export function softmaxAttentionGradient(
  inputs: KernelInputs,
  attributes: SoftmaxAttributes,
): tf.Tensor[] {
  const { queries, keys, values, mask } = gather(inputs, attributes);
  const kvHeads = keys.shape[1];
  const scale = 1 / Math.sqrt(queries.shape[3]);
  const weights = attentionWeights(queries, keys, mask, queries.shape[2]);
  const outgoing = group(inputs["upstream"] as tf.Tensor4D, kvHeads);
  const weightsGradient = tf.reshape(tf.matMul(outgoing, values, false, true), weights.shape);
  const weighted = tf.mul(weightsGradient, weights);
  const scoresGradient = tf.mul(
    tf.sub(weighted, tf.mul(weights, tf.sum(weighted, -1, true))),
    scale,
  ) as tf.Tensor4D;
  const grouped = group(scoresGradient, kvHeads);
  const split = (name: string, gradient: tf.Tensor): tf.Tensor[] => {
    const lengths = segmentNames(name, attributes.segments).map((key) => inputs[key]!.shape[2]!);
    return lengths.length === 1 ? [gradient] : tf.split(gradient, lengths, 2);
  };
  return [
    ungroup(tf.matMul(grouped, keys), queries.shape),
    ...split("keys", tf.matMul(grouped, group(queries, kvHeads), true, false)),
    ...split("values", tf.matMul(group(weights, kvHeads), outgoing, true, false)),
  ];
}
