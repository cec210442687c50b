import type { Dialect } from "@levin/lightning-attention";
import type { Quantization } from "../checkpoint/quantized-tensors.ts";
import type { BlockFactors } from "../normalised-branch.ts";

type ResidualFactors = Pick<BlockFactors, "alpha" | "beta">;

export type { Quantization };

/** Kind of attention of a layer. */
export type LayerType = "lightning" | "softmax";

/** A checked configuration, the same for both dialects (SPEC section 2). */
export interface ModelConfig {
  /** Whose conventions: `hf` = transformers' `minimax`, `m1` = MiniMax-AI's published code. */
  dialect: Dialect;
  modelType: string;
  vocabSize: number;
  hiddenSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  /** Rotated dimensions of each softmax head; even, at most `headDim`. */
  rotaryDim: number;
  ropeTheta: number;
  /** Tokens per block of the chunked form; it changes speed, not results. */
  blockSize: number;
  /** Width of one expert. */
  intermediateSize: number;
  numLocalExperts: number;
  numExpertsPerTok: number;
  rmsNormEps: number;
  layerTypes: LayerType[];
  /** True: the skip path carries the normalised input (SPEC section 5). */
  postnorm: boolean;
  /** Residual factors after each kind of block. */
  alphaBeta: { lightning: ResidualFactors; softmax: ResidualFactors; moe: ResidualFactors };
  tieWordEmbeddings: boolean;
  routerAuxLossCoef: number;
  maxPositionEmbeddings: number;
  bosTokenId: number | null;
  /** Tokens that end an answer; may be empty. */
  eosTokenId: number[];
  padTokenId: number | null;
  /** Absent when all weights are float numbers. */
  quantization?: Quantization;
}

/** Raised when a configuration is not one of this family; lists every problem found. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
