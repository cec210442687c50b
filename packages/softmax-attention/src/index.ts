export { KeyValueCache } from "./key-value-cache.ts";
export {
  SoftmaxAttention,
  softmaxAttentionShapes,
  type SoftmaxAttentionConfig,
  type SoftmaxAttentionOptions,
  type SoftmaxAttentionParameters,
} from "./softmax-attention.ts";
