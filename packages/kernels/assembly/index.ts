// The WASM module of fused kernels. It imports the memory of the tfjs wasm backend and works on its
// tensors in place; it has no data, heap or stack of its own, so it can never overwrite any.

import { PACKING_BYTES } from "./gemm";

export { dispatch, readyWorkers, setControl, work } from "./threads";
export * from "./kernels";
export { expertMixtureBytes } from "./expert-mixture";
export { expertMixtureGradientBytes } from "./expert-mixture-gradient";
export { lightningBlockStepBytes } from "./lightning-block-step";
export { mixtureBlockStepBytes } from "./mixture-block-step";
export { outputProjectionStepBytes } from "./output-projection-step";
export { softmaxInputsStepBytes } from "./softmax-inputs-step";
export { softmaxAttentionBytes } from "./softmax-attention";
export { softmaxGradientBytes } from "./softmax-attention-gradient";
export { softmaxStepBytes } from "./softmax-step";
export { sweepBytes } from "./lightning-sweep";
export { readyRowsBytes } from "./matrix-product";

/** Scratch that each thread needs to pack blocks of matrices. */
export function packingBytes(): usize {
  return PACKING_BYTES;
}
