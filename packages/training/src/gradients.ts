import { accumulate, sumOfSquares } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { ExampleError, type TrainingBatch } from "./example.ts";

/** Losses of supervised fine-tuning. */
export type LanguageModelLoss = "crossEntropy" | "loadBalancing";

/** Scalars of one batch; `total` is what is minimised, the others are reported. */
export type BatchLosses<Loss extends string = LanguageModelLoss> = Record<
  Loss | "total",
  tf.Scalar
>;

/** What can be trained: variables, and losses that depend on them. */
export interface Trainable<
  Batch extends { targets: number } = TrainingBatch,
  Loss extends string = LanguageModelLoss,
> {
  parameters: ReadonlyMap<string, tf.Variable>;
  /** Means over the batch's targets. */
  losses(batch: Batch): BatchLosses<Loss>;
}

/** Losses as numbers and the gradient of `total`, both means over all targets. */
export interface AccumulatedGradients<Loss extends string = LanguageModelLoss> {
  gradients: Map<string, tf.Tensor>;
  losses: Record<Loss | "total", number>;
}

/**
 * Gradients of several micro-batches, weighted by their targets, so that they equal the gradient of
 * one large batch. The caller disposes of them.
 *
 * @throws ExampleError when no label counts
 */
export async function accumulateGradients<Batch extends { targets: number }, Loss extends string>(
  trainable: Trainable<Batch, Loss>,
  batches: readonly Batch[],
): Promise<AccumulatedGradients<Loss>> {
  const targets = batches.reduce((sum, batch) => sum + batch.targets, 0);
  if (targets === 0) throw new ExampleError("expected at least one token to learn, found none");
  const gradients = new Map<string, tf.Tensor>();
  const weighted = new Map<string, tf.Scalar[]>();
  try {
    for (const batch of batches) {
      const share = batch.targets / targets;
      const { value, grads } = tf.variableGrads(() => {
        const result = trainable.losses(batch);
        for (const [name, loss] of Object.entries<tf.Scalar>(result)) {
          weighted.set(name, [...(weighted.get(name) ?? []), tf.keep(tf.mul(loss, share))]);
        }
        return tf.mul(result.total, share) as tf.Scalar;
      }, [...trainable.parameters.values()]);
      value.dispose();
      addTo(gradients, trainable.parameters, grads);
    }
  } catch (error) {
    tf.dispose([...gradients.values(), ...[...weighted.values()].flat()]);
    throw error;
  }
  // Read at the end, so that a GPU does not wait between batches.
  const losses: Record<string, number> = {};
  for (const [name, scalars] of weighted) losses[name] = await sumOf(scalars);
  return { gradients, losses: losses as Record<Loss | "total", number> };
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
  parameters: ReadonlyMap<string, tf.Variable>,
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
