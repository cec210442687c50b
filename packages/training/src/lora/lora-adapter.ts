import type { CausalLanguageModel } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { LoraError } from "./lora-error.ts";

/**
 * Low-rank changes of some weight matrices: W + alpha/rank · B · A (LoRA, arXiv 2106.09685,
 * section 4.1).
 */
export interface LoraAdapter {
  readonly rank: number;
  readonly alpha: number;
  /** Modules with a change, such as `model.layers.0.self_attn.qkv_proj`. */
  readonly modules: readonly string[];
  /** `<module>.lora_A.weight` `[rank, in]` and `<module>.lora_B.weight` `[out, rank]`. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  dispose(): void;
}

export interface LoraOptions {
  /** Default 8. */
  rank?: number;
  /** The change is multiplied by alpha/rank; default 2 · rank. */
  alpha?: number;
  /** Modules to change by their full or last names; default {@link attentionTargets}. */
  targets?: readonly string[];
  /** Decides A; default 0. */
  seed?: number;
}

/** All projections of both kinds of attention. */
export const attentionTargets: readonly string[] = [
  ...["qkv_proj", "output_gate", "out_proj"],
  ...["q_proj", "k_proj", "v_proj", "o_proj"],
];

/** The three matrices of every expert. */
export const expertTargets: readonly string[] = ["w1", "w2", "w3"];

/**
 * A new adapter: A uniform within ±1/√in, the same on every backend for the same seed, B zero, so that
 * it changes nothing yet. The caller disposes of it.
 *
 * @throws LoraError for a rank that is no whole number ≥ 1, a target that no matrix of the model has,
 *   or a quantised matrix
 */
export function createLora(model: CausalLanguageModel, options: LoraOptions = {}): LoraAdapter {
  const { rank = 8, targets = attentionTargets, seed = 0 } = options;
  const { alpha = 2 * rank } = options;
  if (!Number.isInteger(rank) || rank < 1 || !(alpha > 0)) {
    throw new LoraError(
      `adapter: expected a whole rank ≥ 1 and alpha > 0, found ${rank} and ${alpha}`,
    );
  }
  const modules = targetModules(model, targets);
  const generator = xoroshiro128plus(seed);
  return buildLora({ rank, alpha, modules }, (_, [rows, columns], isB) => {
    if (isB) return new Float32Array(rows * columns);
    const bound = columns ** -0.5;
    return Float32Array.from(
      { length: rows * columns },
      () => bound * (2 * uniformFloat64(generator) - 1),
    );
  }, model);
}
