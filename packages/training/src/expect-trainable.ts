import * as tf from "@tensorflow/tfjs-core";
import { accumulateGradients, globalNorm, type Trainable } from "./gradients.ts";
import { DivergedError } from "./update-step.ts";

/**
 * Makes sure that the last update left a model that can be trained on, before it is saved: the loss
 * of a step tells only of the parameters before its update.
 *
 * @param step named in the error
 * @throws DivergedError when the loss of the batches or its gradient is not finite
 */
export async function expectTrainable<Batch extends { targets: number }>(
  trainable: Trainable<Batch, string>,
  batches: readonly Batch[],
  step: number,
): Promise<void> {
  const { gradients, losses } = await accumulateGradients(trainable, batches);
  const norm = await globalNorm(gradients);
  tf.dispose([...gradients.values()]);
  if (Number.isFinite(losses["total"]! + norm)) return;
  throw new DivergedError(
    `step ${step}: expected finite numbers after the update, found loss ${losses["total"]} and gradient norm ${norm}`,
  );
}
