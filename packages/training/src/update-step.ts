import * as tf from "@tensorflow/tfjs-core";
import { adamWUpdate, type AdamWOptions, type AdamWState } from "./adamw.ts";
import { accumulateGradients, clipScale, globalNorm, type Trainable } from "./gradients.ts";

/** Raised when a loss is NaN or infinite; parameters are those of the last good step. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
}

/** Options of {@link updateStep}. */
export interface UpdateOptions {
  learningRate: number;
  /** Largest norm of the gradient; default 1. */
  maxGradientNorm?: number | undefined;
  optimizer?: AdamWOptions | undefined;
}

/**
 * One step of any training: the gradient of all batches together, clipped, and AdamW's update.
 *
 * @returns losses, and the norm before clipping
 * @throws DivergedError when a loss or the gradient is not finite; nothing was changed then
 */
export async function updateStep<Batch extends { targets: number }, Loss extends string>(
  trainable: Trainable<Batch, Loss>,
  state: AdamWState,
  batches: readonly Batch[],
  { learningRate, maxGradientNorm = 1, optimizer }: UpdateOptions,
): Promise<{ losses: Record<Loss | "total", number>; gradientNorm: number }> {
  const { gradients, losses } = await accumulateGradients(trainable, batches);
  try {
    const gradientNorm = await globalNorm(gradients);
    if (!Number.isFinite(losses.total + gradientNorm)) {
      throw new DivergedError(
        `step ${state.step + 1}: expected finite numbers, found loss ${losses.total} and gradient norm ${gradientNorm}`,
      );
    }
    const scale = clipScale(gradientNorm, maxGradientNorm);
    adamWUpdate(trainable.parameters, gradients, state, { learningRate, scale }, optimizer);
    return { losses, gradientNorm };
  } finally {
    tf.dispose([...gradients.values()]);
  }
}
