import * as tf from "@tensorflow/tfjs-core";
import type { KernelInputs } from "../kernel.ts";
import { expertOf, silu } from "../expert-mixture/expert-rows.ts";
import { project } from "../linear/matrix-product.ts";
import type { TensorFlowKernel } from "./register-tensorflow.ts";

/** The rows of all experts gathered at once; those of one are a view of them. */
export const expertMixtureByGroups: TensorFlowKernel<{ count: number }> = {
  name: "LevinExpertMixture",
  compute: (inputs, { count }) => {
    const [tokens, k] = inputs["weights"]!.shape as [number, number];
    const groups = paddedGroups(inputs["experts"]!, count);
    const rows = tf.gather(inputs["x"]!, groups.tokens);
    const used = groups.sizes.flatMap((size, expert) => (size > 0 ? [expert] : []));
    const parts = tf.split(
      rows,
      used.map((expert) => groups.sizes[expert]!),
    );
    const outputs = used.map((expert, i) => swiGlu(parts[i]!, inputs, expert));
    const chosen = tf.reshape(tf.gather(tf.concat(outputs), groups.order), [tokens, k, -1]);
    const weights = tf.reshape(inputs["weights"]!, [tokens, 1, k]);
    return [tf.reshape(tf.matMul(weights, chosen), [tokens, -1])];
  },
};

function swiGlu(rows: tf.Tensor, inputs: KernelInputs, expert: number): tf.Tensor {
  return tf.tidy(() => {
    const { gate, up, down } = expertOf(inputs, expert);
    return project(tf.mul(silu(project(rows, gate)), project(rows, up)), down);
  });
}

interface PaddedGroups {
  /** Rows of each expert, with those that only fill up. */
  sizes: number[];
  /** The token of each row, by expert; 0 where a row fills up. */
  tokens: tf.Tensor1D;
  /** For each choice its row. */
  order: tf.Tensor1D;
}

function paddedGroups(experts: tf.Tensor, count: number): PaddedGroups {
  const k = experts.shape[1]!;
  const choices = experts.dataSync();
  const members = new Int32Array(count);
  for (const expert of choices) members[expert]! += 1;
  const sizes = Array.from(members, paddedSize);
  const next = new Int32Array(count);
  for (let e = 1; e < count; e++) next[e] = next[e - 1]! + sizes[e - 1]!;
  const tokens = new Int32Array(sizes.reduce((sum, size) => sum + size, 0));
  const order = Int32Array.from(choices, (expert, choice) => {
    tokens[next[expert]!] = Math.floor(choice / k);
    return next[expert]!++;
  });
  return { sizes, tokens: tf.tensor1d(tokens, "int32"), order: tf.tensor1d(order, "int32") };
}

/**
 * TensorFlow compiles its products for each shape, which takes as long as the product itself, and other
 * tokens give experts other numbers of rows: so few numbers occur, all powers of 2 or multiples of 16.
 */
function paddedSize(rows: number): number {
  return rows > 16 ? Math.ceil(rows / 16) * 16 : rows && 2 ** Math.ceil(Math.log2(rows));
}
