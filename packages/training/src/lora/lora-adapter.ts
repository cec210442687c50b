import type * as tf from "@tensorflow/tfjs-core";

/** Raised when an adapter is not one, or does not fit its model. */
export class LoraError extends Error {
  override readonly name = "LoraError";
}

/** The two factors of a module's change. */
export type LoraFactor = "lora_A" | "lora_B";

/**
 * Low-rank changes of some of a model's matrices: W + alpha/rank · B · A (Hu et al., "LoRA", arXiv
 * 2106.09685, section 4.1).
 */
export class LoraAdapter {
  readonly rank: number;
  readonly alpha: number;
  /** `<module>.lora_A.weight` `[rank, in]`, `<module>.lora_B.weight` `[out, rank]`; owned by the adapter. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;

  constructor(parts: Pick<LoraAdapter, "rank" | "alpha" | "parameters">) {
    this.rank = parts.rank;
    this.alpha = parts.alpha;
    this.parameters = parts.parameters;
  }

  /** Names of the changed modules, such as `model.layers.0.self_attn.qkv_proj`. */
  get modules(): string[] {
    const suffix = ".lora_A.weight";
    return [...this.parameters.keys()]
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length));
  }

  dispose(): void {
    for (const variable of this.parameters.values()) variable.dispose();
  }
}

/** Name of a module's factor among the adapter's parameters. */
export function factorName(module: string, factor: LoraFactor): string {
  return `${module}.${factor}.weight`;
}
