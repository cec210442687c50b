import type { ComputeCost } from "./compute-cost.ts";
import type { LongThought } from "./long-thoughts.ts";
import type { Scores } from "./scores.ts";

/** Greedy answers within one thinking budget. */
export interface BudgetPoint {
  /** Tokens of thought at most. */
  budget: number;
  scores: Scores;
  cost: ComputeCost;
}

/** The choice among several samples. */
export interface SamplesPoint {
  /** Samples of each problem. */
  count: number;
  vote: Scores;
  /** Any is right, by the verifier. */
  best: Scores;
  cost: ComputeCost;
}

/** All that `bench thinking` found, as it is written to thinking.json. */
export interface ThinkingRecord {
  date: string;
  machine: string;
  backend: string;
  model: string;
  /** Of each task. */
  problems: number;
  maxDifficulty: number;
  problemSeed: number;
  temperature: number;
  sampleBudget: number;
  /** Problems whose answers were timed. */
  timed: number;
  budgets: BudgetPoint[];
  samples: SamplesPoint[];
  long: LongThought[];
  /** A trained all-softmax twin within the same budgets; its costs are in `cost.softmax`. */
  trainedTwin?: { model: string; budgets: BudgetPoint[] };
}
