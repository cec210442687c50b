// The jobs of this module by number. A switch, not a table of function values: those would need
// static data, and this module must have none (see index.ts).

import { expertMixture } from "./expert-mixture";
import { expertMixtureGradient } from "./expert-mixture-gradient";
import { lightningBlockStep } from "./lightning-block-step";
import { lightningAttention } from "./lightning-attention";
import { lightningAttentionGradient } from "./lightning-attention-gradient";
import { lightningStep } from "./lightning-step";
import { matrixProduct } from "./matrix-product";
import { mixtureBlockStep } from "./mixture-block-step";
import { accumulate } from "./accumulate";
import { adamW } from "./adamw";
import { rmsNorm, rmsNormGradient } from "./rms-norm";
import { outputProjectionStep } from "./output-projection-step";
import { scaledSum } from "./scaled-sum";
import { sequence } from "./sequence";
import { silu, siluGradient, sigmoidGate, sigmoidGateGradient } from "./sigmoid";
import { softmaxAttention } from "./softmax-attention";
import { softmaxAttentionGradient } from "./softmax-attention-gradient";
import { softmaxInputsStep } from "./softmax-inputs-step";
import { softmaxStep } from "./softmax-step";
import { softmaxCrossEntropy, softmaxCrossEntropyGradient } from "./softmax-cross-entropy";
import { sumOfSquares } from "./sum-of-squares";
import { embedding, embeddingGradient } from "./embedding";
import { splitHeads, mergeHeads } from "./heads";
import { rotaryEmbedding } from "./rotary-embedding";
import { routeTopExperts, routeTopExpertsGradient } from "./route-top-experts";

export const MATRIX_PRODUCT: i32 = 0;
export const EXPERT_MIXTURE: i32 = 1;
export const EXPERT_MIXTURE_GRADIENT: i32 = 2;
export const LIGHTNING_BLOCK_STEP: i32 = 3;
export const MIXTURE_BLOCK_STEP: i32 = 4;
export const SOFTMAX_INPUTS_STEP: i32 = 5;
export const OUTPUT_PROJECTION_STEP: i32 = 6;
export const SEQUENCE: i32 = 7;
export const LIGHTNING_ATTENTION: i32 = 10;
export const LIGHTNING_ATTENTION_GRADIENT: i32 = 11;
export const LIGHTNING_STEP: i32 = 12;
export const SOFTMAX_ATTENTION: i32 = 13;
export const SOFTMAX_ATTENTION_GRADIENT: i32 = 14;
export const SOFTMAX_STEP: i32 = 15;
export const ADAMW: i32 = 20;
export const SUM_OF_SQUARES: i32 = 21;
export const ACCUMULATE: i32 = 22;
export const RMS_NORM: i32 = 23;
export const RMS_NORM_GRADIENT: i32 = 24;
export const SILU: i32 = 25;
export const SILU_GRADIENT: i32 = 26;
export const SIGMOID_GATE: i32 = 27;
export const SIGMOID_GATE_GRADIENT: i32 = 28;
export const SCALED_SUM: i32 = 29;
export const SOFTMAX_CROSS_ENTROPY: i32 = 30;
export const SOFTMAX_CROSS_ENTROPY_GRADIENT: i32 = 31;
export const ROTARY_EMBEDDING: i32 = 32;
export const SPLIT_HEADS: i32 = 33;
export const MERGE_HEADS: i32 = 34;
export const EMBEDDING: i32 = 38;
export const EMBEDDING_GRADIENT: i32 = 35;
export const ROUTE_TOP_EXPERTS: i32 = 36;
export const ROUTE_TOP_EXPERTS_GRADIENT: i32 = 37;

/** One thread's part of a job. */
export function execute(kernel: i32, args: usize, thread: i32, threads: i32): void {
  switch (kernel) {
    case MATRIX_PRODUCT:
      matrixProduct(args, thread, threads);
      break;
    case EXPERT_MIXTURE:
      expertMixture(args, thread, threads);
      break;
    case EXPERT_MIXTURE_GRADIENT:
      expertMixtureGradient(args, thread, threads);
      break;
    case LIGHTNING_BLOCK_STEP:
      lightningBlockStep(args, thread, threads);
      break;
    case MIXTURE_BLOCK_STEP:
      mixtureBlockStep(args, thread, threads);
      break;
    case SOFTMAX_INPUTS_STEP:
      softmaxInputsStep(args, thread, threads);
      break;
    case OUTPUT_PROJECTION_STEP:
      outputProjectionStep(args, thread, threads);
      break;
    case SEQUENCE:
      sequence(args, thread, threads);
      break;
    case LIGHTNING_ATTENTION:
      lightningAttention(args, thread);
      break;
    case LIGHTNING_ATTENTION_GRADIENT:
      lightningAttentionGradient(args, thread);
      break;
    case LIGHTNING_STEP:
      lightningStep(args, thread, threads);
      break;
    case SOFTMAX_ATTENTION:
      softmaxAttention(args, thread);
      break;
    case SOFTMAX_ATTENTION_GRADIENT:
      softmaxAttentionGradient(args, thread, threads);
      break;
    case SOFTMAX_STEP:
      softmaxStep(args, thread, threads);
      break;
    case ADAMW:
      adamW(args, thread, threads);
      break;
    case SUM_OF_SQUARES:
      sumOfSquares(args, thread, threads);
      break;
    case ACCUMULATE:
      accumulate(args, thread, threads);
      break;
    case RMS_NORM:
      rmsNorm(args, thread, threads);
      break;
    case RMS_NORM_GRADIENT:
      rmsNormGradient(args, thread, threads);
      break;
    case SILU:
      silu(args, thread, threads);
      break;
    case SILU_GRADIENT:
      siluGradient(args, thread, threads);
      break;
    case SIGMOID_GATE:
      sigmoidGate(args, thread, threads);
      break;
    case SIGMOID_GATE_GRADIENT:
      sigmoidGateGradient(args, thread, threads);
      break;
    case SCALED_SUM:
      scaledSum(args, thread, threads);
      break;
    case SOFTMAX_CROSS_ENTROPY:
      softmaxCrossEntropy(args, thread, threads);
      break;
    case SOFTMAX_CROSS_ENTROPY_GRADIENT:
      softmaxCrossEntropyGradient(args, thread, threads);
      break;
    case ROTARY_EMBEDDING:
      rotaryEmbedding(args, thread, threads);
      break;
    case SPLIT_HEADS:
      splitHeads(args, thread, threads);
      break;
    case MERGE_HEADS:
      mergeHeads(args, thread, threads);
      break;
    case EMBEDDING:
      embedding(args, thread, threads);
      break;
    case EMBEDDING_GRADIENT:
      embeddingGradient(args, thread, threads);
      break;
    case ROUTE_TOP_EXPERTS:
      routeTopExperts(args, thread, threads);
      break;
    case ROUTE_TOP_EXPERTS_GRADIENT:
      routeTopExpertsGradient(args, thread, threads);
      break;
  }
}
