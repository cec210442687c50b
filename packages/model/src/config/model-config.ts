import type { Dialect, LightningVariant } from "@levin/lightning-attention";
import type { GroupedRouting } from "@levin/moe";
import type { Quantization } from "../checkpoint/quantized-tensors.ts";
import type { BlockFactors } from "../normalised-branch.ts";

type ResidualFactors = Pick<BlockFactors, "alpha" | "beta">;

export type { Quantization };

/** Kind of attention of a layer. */
export type LayerType = "lightning" | "softmax";

/**
 * A checked configuration, the same for all families (SPEC section 2). What only some have is absent in
 * others.
 */
export interface ModelConfig {
  /** Whose names and decay: `hf` = transformers' `minimax`, `m1` = MiniMax-AI's code, `ring` = Ring- and Ling-linear, `transnormer` = TransNormerLLM. */
  dialect: Dialect;
  modelType: string;
  vocabSize: number;
  hiddenSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  /** Rotated dimensions of each head; even, at most `headDim`; 0 without rotary embedding. */
  rotaryDim: number;
  ropeTheta: number;
  /** Tokens per block of the chunked form; it changes speed, not results. */
  blockSize: number;
  /** Width of one expert; 0 without experts. */
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
  /** What lightning layers do other than MiniMax's. */
  lightning?: LightningVariant;
  /** Queries and keys of each head are normalised. */
  queryKeyNorm?: true;
  /** How experts are chosen, other than MiniMax's. */
  routing?: GroupedRouting;
  /** Width of the expert that sees every token. */
  sharedIntermediateSize?: number;
  /** The first layers, without experts. */
  dense?: { layers: number; intermediateSize: number; activation: "silu" | "none" };
  /** Layers whose lightning attention has LRPE. */
  linearPositions?: boolean[];
  /** Norms of the residual stream and inside lightning attention have no weight. */
  plainNorms?: true;
  /** Factor of the embedding. */
  embeddingScale?: number;
}

/** Raised when a configuration is not one of this family; lists every problem found. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
