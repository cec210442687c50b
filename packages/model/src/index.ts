export {
  CausalLanguageModel,
  type ForwardObserver,
  type ForwardResult,
} from "./causal-language-model.ts";
export { bytesSource, CheckpointError, type ByteSource } from "./checkpoint/byte-source.ts";
export type { ElementType, WeightType } from "./checkpoint/element-types.ts";
export type { NamingScheme } from "./checkpoint/plan-shards.ts";
export { readCheckpoint, type Weight } from "./checkpoint/read-checkpoint.ts";
export { readSafetensors, type NamedArray } from "./checkpoint/safetensors-reader.ts";
export { tensorShapes } from "./checkpoint/tensor-shapes.ts";
export { safetensorsChunks, type TensorToWrite } from "./checkpoint/write-safetensors.ts";
export { ConfigError, type LayerType, type ModelConfig } from "./config/model-config.ts";
export { parseConfig } from "./config/parse-config.ts";
export { toConfigJson } from "./config/to-config-json.ts";
export {
  crossEntropy,
  ignoredLabel,
  languageModelLosses,
  type LanguageModelLosses,
} from "./losses.ts";
export { MissingParameterError, type ModelParameters } from "./model-parameters.ts";
export { CausalModelState, ModelStateError } from "./model-state.ts";
export { TokenBatchError, type TokenBatch } from "./token-batch.ts";
