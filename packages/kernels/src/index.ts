export { softmaxCrossEntropy } from "./cross-entropy/softmax-cross-entropy.ts";
export { scaledResidual } from "./elementwise/scaled-residual.ts";
export {
  decodeStep,
  hasDecodeStep,
  type DecodeHead,
  type DecodeResidual,
  type DecodeStep,
  type DecodeStepResult,
  type KeyValueSegment,
  type LightningDecode,
  type MixtureDecode,
  type SoftmaxDecode,
} from "./decode-step/decode-step.ts";
export { sigmoidGate } from "./elementwise/sigmoid-gate.ts";
export { silu } from "./elementwise/silu.ts";
export { embedding } from "./embedding/embedding.ts";
export { pickRows } from "./embedding/pick-rows.ts";
export type { Expert } from "./expert-mixture/expert.ts";
export { expertMixture } from "./expert-mixture/expert-mixture.ts";
export { routeByGroups, type GroupedRouting } from "./expert-mixture/route-by-groups.ts";
export { routeTopExperts, type Routing } from "./expert-mixture/route-top-experts.ts";
export { mergeHeads, splitHeads } from "./heads/heads.ts";
export {
  KernelShapeError,
  defineKernel,
  type KernelAttributes,
  type KernelDefinition,
  type KernelInputs,
  type RunKernel,
} from "./kernel.ts";
export type { LightningInputs, LightningOutputs } from "./lightning-attention/forms.ts";
export {
  defaultBlockSize,
  lightningAttention,
  type LightningAttentionOptions,
  type LightningForm,
} from "./lightning-attention/lightning-attention.ts";
export { linear } from "./linear/linear.ts";
export { accumulate } from "./optimizer/accumulate.ts";
export { adamW, type AdamWFactors, type AdamWTensors } from "./optimizer/adamw.ts";
export { sumOfSquares } from "./optimizer/sum-of-squares.ts";
export {
  isQuantizable,
  isQuantized,
  QuantizationError,
  quantizedBlockSize,
  quantizedWords,
  type QuantizedBits,
} from "./quantized/block-layout.ts";
export { dequantize } from "./quantized/dequantize.ts";
export { quantize } from "./quantized/quantize.ts";
export { rmsNorm } from "./rms-norm/rms-norm.ts";
export {
  rotaryAngles,
  rotaryAngleValues,
  rotaryEmbedding,
  type RotaryAngles,
} from "./rotary-embedding/rotary-embedding.ts";
export {
  softmaxAttention,
  type SoftmaxAttentionOptions,
} from "./softmax-attention/softmax-attention.ts";
