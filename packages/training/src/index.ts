export {
  adamWUpdate,
  createAdamWState,
  disposeAdamWState,
  type AdamWOptions,
  type AdamWState,
} from "./adamw.ts";
export { evaluateLosses } from "./evaluate-losses.ts";
export { batchExamples, ExampleError, type Example, type TrainingBatch } from "./example.ts";
export { expectTrainable } from "./expect-trainable.ts";
export {
  accumulateGradients,
  clipScale,
  globalNorm,
  type AccumulatedGradients,
  type BatchLosses,
  type LanguageModelLoss,
  type Trainable,
} from "./gradients.ts";
export { initialiseParameters } from "./initialise.ts";
export { learningRate, type LearningRateSchedule } from "./learning-rate-schedule.ts";
export { createLora, type LoraOptions } from "./lora/create-lora.ts";
export { LoraAdapter, LoraError } from "./lora/lora-adapter.ts";
export { loraModel, mergeLora } from "./lora/lora-model.ts";
export { attentionTargets, expertTargets } from "./lora/lora-shapes.ts";
export { mixExamples, type ExampleSource } from "./mix-examples.ts";
export { limitLengths, splitExamples, type LimitedExamples } from "./prepare-examples.ts";
export { createProgress, type Progress } from "./progress.ts";
export { shuffledExamples } from "./shuffled-examples.ts";
export { embedPool, type EmbeddedPool } from "./sift/embedded-pool.ts";
export { selectBySift, type Selection, type SiftOptions } from "./sift/select-by-sift.ts";
export { selectNearest, SelectionError } from "./sift/select-nearest.ts";
export { tuneForPrompt, type TuneForPromptOptions } from "./sift/tune-for-prompt.ts";
export { tuneOnExamples, type TunedModel, type TuneOptions } from "./sift/tune-on-examples.ts";
export { trainableModel } from "./trainable-model.ts";
export { train, type StepReport, type TrainOptions } from "./trainer.ts";
export { DivergedError, updateStep, type UpdateOptions } from "./update-step.ts";
export { groupAdvantages } from "./reinforcement/group-advantages.ts";
export { lengthPenalty, type LengthPenalty } from "./reinforcement/length-penalty.ts";
export { NothingToLearnError } from "./reinforcement/mixed-groups.ts";
export { policyLoss, type Clipping, type DrawnTokens } from "./reinforcement/policy-loss.ts";
export {
  reinforce,
  ReinforceOptionsError,
  type IterationReport,
  type ReinforceOptions,
} from "./reinforcement/reinforce.ts";
export {
  answerDrawing,
  type DrawAnswers,
  type DrawnAnswer,
  type RolloutPrompt,
  type RolloutSampling,
} from "./reinforcement/rollout.ts";
