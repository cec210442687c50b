import type { ModelConfig } from "./model-config.ts";

/** Matrices in the state of a lightning layer: one for each head, two with LRPE. */
export function stateHeads(config: ModelConfig, layerIndex: number): number {
  return config.numAttentionHeads * (config.linearPositions?.[layerIndex] ? 2 : 1);
}
