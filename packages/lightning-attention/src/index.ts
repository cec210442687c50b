export { decaySlopes, type Dialect } from "./decay-slopes.ts";
export { LightningAttentionState } from "./lightning-attention-state.ts";
export {
  LightningAttention,
  lightningAttentionShapes,
  type AttentionOptions,
  type LightningAttentionConfig,
  type LightningAttentionParameters,
} from "./lightning-attention.ts";
