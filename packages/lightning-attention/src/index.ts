export { decaySlopes, type Dialect } from "./decay-slopes.ts";
export { LightningAttentionState } from "./lightning-attention-state.ts";
export {
  LightningAttention,
  lightningAttentionShapes,
  type AttentionOptions,
  type LightningAttentionConfig,
  type LightningAttentionParameters,
  type LightningAttentionWeights,
  type LightningVariantParameters,
} from "./lightning-attention.ts";
export { type LightningVariant } from "./lightning-variant.ts";
