import { accumulate, sumOfSquares } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { ExampleError, type TrainingBatch } from "./example.ts";

/** Scalars of one batch; `total` is what is minimised. */
export interface BatchLosses {
  crossEntropy: tf.Scalar;
  loadBalancing: tf.Scalar;
  total: tf.Scalar;
}

/** What can be trained: variables, and losses that depend on them. */
export interface Trainable {
  parameters: ReadonlyMap<string, tf.Variable>;
  losses(batch: TrainingBatch): BatchLosses;
}

/** Losses as numbers and the gradient of their mean over all targets. */
export interface AccumulatedGradients {
  gradients: Map<string, tf.Tensor>;
  crossEntropy: number;
  loadBalancing: number;
}

/**
 * Gradients of several micro-batches, weighted by their targets, so that they equal the gradient of
 * one large batch. The caller disposes of them.
 *
 * @throws ExampleError when no label counts
 */
export async function accumulateGradients(
  trainable: Trainable,
  batches: readonly TrainingBatch[],
): Promise<AccumulatedGradients> {
  const targets = batches.reduce((sum, batch) => sum + batch.targets, 0);
  if (targets === 0) throw new ExampleError("expected at least one token to learn, found none");
  const sums = new Map<string, tf.Tensor>();
  const weighted: Record<"crossEntropy" | "loadBalancing", tf.Scalar[]> = {
    crossEntropy: [],
    loadBalancing: [],
  };
  for (const batch of batches) {
    const share = batch.targets / targets;
    const { value, grads } = tf.variableGrads(() => {
      const result = trainable.losses(batch);
      for (const name of ["crossEntropy", "loadBalancing"] as const) {
        weighted[name].push(tf.keep(tf.mul(result[name], share)));
      }
      return tf.mul(result.total, share) as tf.Scalar;
    }, [...trainable.parameters.values()]);
    value.dispose();
    addTo(sums, trainable.parameters, grads);
  }
  // Read at the end, so that a GPU does not wait between batches.
  const crossEntropy = await sumOf(weighted.crossEntropy);
  return { gradients: sums, crossEntropy, loadBalancing: await sumOf(weighted.loadBalancing) };
}

/** Sum of scalars, which are used up. */
async function sumOf(scalars: readonly tf.Scalar[]): Promise<number> {
  let sum = 0;
  for (const scalar of scalars) sum += (await scalar.data())[0]!;
  tf.dispose(scalars as tf.Scalar[]);
  return sum;
}

function addTo(
  sums: Map<string, tf.Tensor>,
  parameters: Trainable["parameters"],
  gradients: tf.NamedTensorMap,
): void {
  const repeated: string[] = [];
  for (const [name, variable] of parameters) {
    const gradient = gradients[variable.name];
    if (!gradient) continue;
    if (sums.has(name)) repeated.push(name);
    else sums.set(name, gradient);
  }
  const before = repeated.map((name) => sums.get(name)!);
  const added = repeated.map((name) => gradients[parameters.get(name)!.name]!);
  accumulate(before, added).forEach((sum, i) => sums.set(repeated[i]!, sum));
  tf.dispose([...before, ...added]);
}

/** Euclidean norm over all gradients. */
export async function globalNorm(gradients: ReadonlyMap<string, tf.Tensor>): Promise<number> {
  return Math.sqrt(await sumOf([sumOfSquares([...gradients.values()])]));
}

/** Factor that brings a norm down to `maxNorm`. */
export function clipScale(norm: number, maxNorm: number): number {
  return norm > maxNorm ? maxNorm / norm : 1;
}
