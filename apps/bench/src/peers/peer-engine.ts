import type { ActiveCost } from "./active-cost.ts";
import type { PeerSize } from "./peer-sizes.ts";

/** How the large matrices of a model are stored; each engine has a layout of its own for 8 and 4 bits. */
export type PeerWeights = "float32" | "int8" | "int4";

/** What to measure. */
export interface PeerPlan {
  size: PeerSize;
  /** Tokens of the prompt. */
  length: number;
  threads: number;
  repeats: number;
}

/** What a worker measures: every repetition, in tokens/s. */
export interface PeerRates {
  prefill: number[];
  decode: number[];
  /** Peak memory of the process. */
  peakMiB: number;
  /** Of what it would save to go on from the end of the answer, where it tells. */
  stateBytes?: number;
}

/** Speeds of one engine with one model at one length of prompt. */
export interface PeerResult extends PeerRates, ActiveCost {
  engine: string;
  weights: PeerWeights;
}

/** An engine that can be measured. */
export interface PeerEngine {
  /** How it is named in tables. */
  name: string;
  weights: PeerWeights;
  /** Longest prompt that is worth the time. */
  longest: number;
  /** Why it cannot be measured on this machine, or undefined. */
  missing(): Promise<string | undefined>;
  measure(plan: PeerPlan): Promise<PeerRates & ActiveCost>;
}
