import type { CausalLanguageModel } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { LoraAdapter, LoraError } from "./lora-adapter.ts";
import { attentionTargets, factorShapes, targetMatrices } from "./lora-shapes.ts";

/** Options of {@link createLora}. */
export interface LoraOptions {
  /** Default 8. */
  rank?: number;
  /** The change is multiplied by alpha/rank; default 2 · rank. */
  alpha?: number;
  /** Modules by their full name or the last part of it; default {@link attentionTargets}. */
  targets?: readonly string[];
  /** Decides A; default 0. */
  seed?: number;
}

/**
 * A new adapter: A uniform within ±1/√in, the same on every backend for the same seed; B zero, so
 * that nothing changes yet. The caller disposes of it.
 *
 * @throws LoraError for a bad rank or alpha, targets that the model has not, or quantised matrices
 */
export function createLora(model: CausalLanguageModel, options: LoraOptions = {}): LoraAdapter {
  const { rank = 8, targets = attentionTargets, seed = 0 } = options;
  const { alpha = 2 * rank } = options;
  if (!Number.isInteger(rank) || rank < 1 || !Number.isFinite(alpha) || alpha <= 0) {
    throw new LoraError(
      `adapter: expected a whole rank ≥ 1 and alpha > 0, found ${rank} and ${alpha}`,
    );
  }
  const generator = xoroshiro128plus(seed);
  const parameters = new Map<string, tf.Variable>();
  for (const matrix of targetMatrices(model, targets)) {
    const [[nameA, shapeA], [nameB, shapeB]] = factorShapes(matrix, rank);
    const bound = shapeA[1] ** -0.5;
    const values = Float32Array.from(
      { length: shapeA[0] * shapeA[1] },
      () => bound * (2 * uniformFloat64(generator) - 1),
    );
    parameters.set(nameA, toVariable(tf.tensor2d(values, shapeA)));
    parameters.set(nameB, toVariable(tf.zeros(shapeB)));
  }
  return new LoraAdapter({ rank, alpha, parameters });
}

/** The tensor as a variable; it is used up. */
export function toVariable(tensor: tf.Tensor): tf.Variable {
  const variable = tf.variable(tensor);
  tensor.dispose();
  return variable;
}
