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
export function accumulateGradients(
  trainable: Trainable,
  batches: readonly TrainingBatch[],
): AccumulatedGradients {
  const targets = batches.reduce((sum, batch) => sum + batch.targets, 0);
  if (targets === 0) throw new ExampleError("expected at least one token to learn, found none");
  const sums = new Map<string, tf.Tensor>();
  let crossEntropy = 0;
  let loadBalancing = 0;
  for (const batch of batches) {
    const share = batch.targets / targets;
    const scalars: tf.Scalar[] = [];
    const { value, grads } = tf.variableGrads(() => {
      const result = trainable.losses(batch);
      scalars.push(tf.keep(tf.clone(result.crossEntropy)), tf.keep(tf.clone(result.loadBalancing)));
      return tf.mul(result.total, share) as tf.Scalar;
    }, [...trainable.parameters.values()]);
    crossEntropy += share * scalars[0]!.dataSync()[0]!;
    loadBalancing += share * scalars[1]!.dataSync()[0]!;
    tf.dispose([value, ...scalars]);
    addTo(sums, trainable.parameters, grads);
  }
  return { gradients: sums, crossEntropy, loadBalancing };
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
export function globalNorm(gradients: ReadonlyMap<string, tf.Tensor>): number {
  return tf.tidy(() => Math.sqrt(sumOfSquares([...gradients.values()]).dataSync()[0]!));
}

/** Factor that brings a norm down to `maxNorm`. */
export function clipScale(norm: number, maxNorm: number): number {
  return norm > maxNorm ? maxNorm / norm : 1;
}
