import * as tf from "@tensorflow/tfjs-core";
import { ExampleError } from "./example.ts";
import type { Trainable } from "./gradients.ts";

/**
 * Losses over all targets of some batches, such as held-out ones; nothing is changed.
 *
 * @throws ExampleError when no label counts
 */
export async function evaluateLosses<Batch extends { targets: number }, Loss extends string>(
  trainable: Trainable<Batch, Loss>,
  batches: readonly Batch[],
): Promise<Record<Loss | "total", number>> {
  const targets = batches.reduce((sum, batch) => sum + batch.targets, 0);
  if (targets === 0) throw new ExampleError("expected at least one token to judge, found none");
  const sums: Record<string, number> = {};
  for (const batch of batches) {
    const losses = tf.tidy(() => trainable.losses(batch));
    for (const [name, loss] of Object.entries<tf.Scalar>(losses)) {
      sums[name] = (sums[name] ?? 0) + ((await loss.data())[0]! * batch.targets) / targets;
      loss.dispose();
    }
  }
  return sums as Record<Loss | "total", number>;
}
