import * as tf from "@tensorflow/tfjs-core";
import { namedInputs, type KernelInputs } from "../kernel.ts";
import { FusedEngine, type FusedEngineOptions } from "./fused-engine.ts";
import { fusedExpertMixture, fusedExpertMixtureGradient } from "./expert-mixture.ts";
import { fusedDecodeStep } from "./decode-step.ts";
import { fusedLightningAttention, fusedLightningAttentionGradient } from "./lightning-attention.ts";
import { fusedLinear, fusedMatrixProduct } from "./matrix-product.ts";
import {
  fusedScaledSum,
  fusedSigmoidGate,
  fusedSigmoidGateGradient,
  fusedSilu,
  fusedSiluGradient,
} from "./elementwise.ts";
import { fusedEmbedding, fusedEmbeddingGradient } from "./embedding.ts";
import { fusedMergeHeads, fusedSplitHeads } from "./heads.ts";
import { fusedAccumulate, fusedAdamW, fusedSumOfSquares } from "./optimizer.ts";
import { fusedRmsNorm, fusedRmsNormGradient } from "./rms-norm.ts";
import { fusedRotaryEmbedding } from "./rotary-embedding.ts";
import { fusedRouteTopExperts, fusedRouteTopExpertsGradient } from "./route-top-experts.ts";
import { shareClones } from "./share-clones.ts";
import { fusedSoftmaxAttention, fusedSoftmaxAttentionGradient } from "./softmax-attention.ts";
import {
  fusedSoftmaxCrossEntropy,
  fusedSoftmaxCrossEntropyGradient,
} from "./softmax-cross-entropy.ts";

/** A kernel on the wasm backend: reads tensors in place, returns new ones. */
export interface FusedKernel {
  /** Name of the kernel whose reference it replaces. */
  name: string;
  run: (engine: FusedEngine, inputs: KernelInputs, attributes: never) => tf.TensorInfo[];
}

const fusedKernels: readonly FusedKernel[] = [
  fusedLinear,
  fusedMatrixProduct,
  fusedLightningAttention,
  fusedLightningAttentionGradient,
  fusedSoftmaxAttention,
  fusedSoftmaxAttentionGradient,
  fusedExpertMixture,
  fusedExpertMixtureGradient,
  fusedDecodeStep,
  fusedRmsNorm,
  fusedRmsNormGradient,
  fusedSilu,
  fusedSiluGradient,
  fusedSigmoidGate,
  fusedSigmoidGateGradient,
  fusedScaledSum,
  fusedSoftmaxCrossEntropy,
  fusedSoftmaxCrossEntropyGradient,
  fusedEmbedding,
  fusedEmbeddingGradient,
  fusedRotaryEmbedding,
  fusedSplitHeads,
  fusedMergeHeads,
  fusedRouteTopExperts,
  fusedRouteTopExpertsGradient,
  fusedAdamW,
  fusedAccumulate,
  fusedSumOfSquares,
];

/** Makes the fused kernels those of the current wasm backend; the engine that runs them. */
export function registerFusedKernels(options: FusedEngineOptions): FusedEngine {
  shareClones();
  const engine = new FusedEngine(options);
  for (const { name, run } of fusedKernels) {
    tf.registerKernel({
      kernelName: name,
      backendName: "wasm",
      kernelFunc: ({ inputs, attrs }) =>
        run(engine, namedInputs(Object.values(inputs) as tf.Tensor[], attrs), attrs as never),
    });
  }
  return engine;
}
