export { KeyValueCache } from "./key-value-cache.ts";
export {
  SoftmaxAttention,
  softmaxAttentionShapes,
  type SoftmaxAttentionConfig,
  type SoftmaxAttentionOptions,
  type SoftmaxAttentionParameters,
  type SoftmaxQueryKeyNorms,
} from "./softmax-attention.ts";
