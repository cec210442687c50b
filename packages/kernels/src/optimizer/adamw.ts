import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../kernel.ts";
import { listInputs, listOf } from "../tensor-lists.ts";

/** Factors of one update, the same for all parameters but `shrinks`. */
export type AdamWFactors = {
  /** What the moments keep, and what they add of the gradient and its square. */
  keepFirst: number;
  addFirst: number;
  keepSecond: number;
  addSecond: number;
  /** Corrects the second moment for its start at zero. */
  unbias: number;
  epsilon: number;
  /** Learning rate, corrected for the first moment's start at zero. */
  rate: number;
  /** For each parameter what its weight decay leaves of it. */
  shrinks: number[];
};

/** Parameters, or what belongs to each of them, in the same order. */
export interface AdamWTensors {
  parameters: readonly tf.Tensor[];
  gradients: readonly tf.Tensor[];
  /** Moments. */
  first: readonly tf.Tensor[];
  second: readonly tf.Tensor[];
}

const run = defineKernel<AdamWFactors>({
  name: "LevinAdamW",
  reference: (inputs, factors) => {
    const [parameters, gradients, first, second] = (
      ["parameters", "gradients", "first", "second"] as const
    ).map((name) => listOf(inputs, name)) as [tf.Tensor[], tf.Tensor[], tf.Tensor[], tf.Tensor[]];
    // Scalars are made once: with hundreds of parameters their making would cost as much as using.
    const constant = scalars(factors);
    const next = parameters.map((parameter, i) =>
      tf.tidy(() => {
        const gradient = gradients[i]!;
        const nextFirst = tf.add(
          tf.mul(first[i]!, constant.keepFirst),
          tf.mul(gradient, constant.addFirst),
        );
        const nextSecond = tf.add(
          tf.mul(second[i]!, constant.keepSecond),
          tf.mul(tf.square(gradient), constant.addSecond),
        );
        const root = tf.add(tf.sqrt(tf.mul(nextSecond, constant.unbias)), constant.epsilon);
        const move = tf.mul(tf.div(nextFirst, root), constant.rate);
        const shrunk = tf.mul(parameter, factors.shrinks[i]!);
        return { parameter: tf.sub(shrunk, move), first: nextFirst, second: nextSecond };
      }),
    );
    return [
      ...next.map((tensors) => tensors.parameter),
      ...next.map((tensors) => tensors.first),
      ...next.map((tensors) => tensors.second),
    ];
  },
});

const scalarNames = [
  "keepFirst",
  "addFirst",
  "keepSecond",
  "addSecond",
  "unbias",
  "epsilon",
  "rate",
] as const;

function scalars(factors: AdamWFactors): Record<(typeof scalarNames)[number], tf.Scalar> {
  return Object.fromEntries(scalarNames.map((name) => [name, tf.scalar(factors[name])])) as never;
}

/**
 * AdamW (Loshchilov & Hutter, arXiv 1711.05101) for any number of parameters at once:
 * `m ← keepFirst m + addFirst g`, `v ← keepSecond v + addSecond g²`,
 * `p ← shrink p − rate m / (√(unbias v) + epsilon)`.
 *
 * The wasm backend writes the results over parameters and moments where nobody else holds their
 * numbers, so use only what is returned.
 */
export function adamW(
  { parameters, gradients, first, second }: AdamWTensors,
  factors: AdamWFactors,
): { parameters: tf.Tensor[]; first: tf.Tensor[]; second: tf.Tensor[] } {
  if (parameters.length === 0) return { parameters: [], first: [], second: [] };
  const inputs = listInputs({ parameters, gradients, first, second });
  const outputs = run(inputs, factors);
  const count = parameters.length;
  return {
    parameters: outputs.slice(0, count),
    first: outputs.slice(count, 2 * count),
    second: outputs.slice(2 * count),
  };
}
