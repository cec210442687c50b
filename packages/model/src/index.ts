export { CausalLanguageModel, type ForwardResult } from "./causal-language-model.ts";
export { bytesSource, CheckpointError, type ByteSource } from "./checkpoint/byte-source.ts";
export type { ElementType, WeightType } from "./checkpoint/element-types.ts";
export type { NamingScheme } from "./checkpoint/file-tensors.ts";
export { openCheckpoint, type Checkpoint, type Weight } from "./checkpoint/open-checkpoint.ts";
export { readCheckpoint } from "./checkpoint/read-checkpoint.ts";
export { readSafetensors, type NamedArray } from "./checkpoint/safetensors-reader.ts";
export { tensorShapes } from "./checkpoint/tensor-shapes.ts";
export {
  safetensorsChunks,
  type TensorToWrite,
  type TensorValues,
} from "./checkpoint/write-safetensors.ts";
export {
  ConfigError,
  type LayerType,
  type ModelConfig,
  type Quantization,
} from "./config/model-config.ts";
export { parseConfig } from "./config/parse-config.ts";
export { toConfigJson } from "./config/to-config-json.ts";
export { checkConstraint } from "./constraints/answer-constraint.ts";
export { ConstraintError, type Constraint } from "./constraints/constraint.ts";
export { embed, pooledStates, type EmbedOptions } from "./embed.ts";
export type { ForwardObserver, LayerRange } from "./decoder.ts";
export {
  crossEntropy,
  ignoredLabel,
  languageModelLosses,
  type LanguageModelLosses,
  tokenCrossEntropy,
} from "./losses.ts";
export { MissingParameterError, type ModelParameters } from "./model-parameters.ts";
export { CausalModelState, ModelStateError } from "./model-state.ts";
export { readModel } from "./read-model.ts";
export { checkTokenIds, TokenBatchError, type TokenBatch } from "./token-batch.ts";
export { bestOf } from "./generation/best-of.ts";
export { ContinuousBatch } from "./generation/continuous-batch.ts";
export { generateBatch } from "./generation/generate-batch.ts";
export {
  generate,
  PromptTooLongError,
  type FinishReason,
  type GenerationResult,
  type TokenEvent,
} from "./generation/generate.ts";
export {
  GenerationOptionsError,
  type BatchOptions,
  type GenerationOptions,
  type PrefillProgress,
} from "./generation/generation-options.ts";
export {
  logitBias,
  logProbability,
  minP,
  occurrencePenalty,
  repetitionPenalty,
  softmax,
  temperature,
  topK,
  topP,
  type LogitFilter,
} from "./generation/logit-filters.ts";
export { majorityVote } from "./generation/majority-vote.ts";
export { PrefixCache } from "./generation/prefix-cache.ts";
export { sampleAnswers, type SampleOptions } from "./generation/sample-answers.ts";
export { LogitsError, type TokenLogProbability } from "./generation/sampler.ts";
export { Session, SessionError } from "./generation/session.ts";
export { StopStrings } from "./generation/stop-strings.ts";
export { Thought, type TextTokenizer } from "./generation/thought.ts";
export type { ModelState, NextTokenModel } from "./next-token-model.ts";
export {
  planModel,
  softmaxTwin,
  type ContextPlan,
  type ModelPlan,
  type StoredType,
} from "./planner/plan-model.ts";
export { planStages, StagePlanError, type StagePlan } from "./planner/plan-stages.ts";
