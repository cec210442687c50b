import { planModel, type CausalLanguageModel, type ModelConfig } from "@levin/model";
import type { Attempt } from "./attempts.ts";
import { replay, type ReplayCost } from "./replay.ts";

/** A model and one with the same tokens to compute, in which every layer is softmax attention. */
export type Twins = Record<"hybrid" | "softmax", CausalLanguageModel>;

/** What an answer costs: means of a problem, its samples together. */
export interface ComputeCost {
  /** The prompt is read once, also for several samples; marks and end count to the answer. */
  tokens: { prompt: number; thought: number; answer: number };
  hybrid: ModelCost;
  softmax: ModelCost;
}

interface ModelCost extends ReplayCost {
  /** By the planner, of every token that is fed, at its own length of context. */
  flops: number;
}

/** Each timed problem is computed so often, and the best run counts. */
export const timedRuns = 3;

/** FLOPs of the tokens that follow the first `from` up to the first `to` of a sequence. */
type Flops = (from: number, to: number) => number;

/**
 * Tokens and FLOPs are of all attempts; seconds and bytes of the state are measured on `timed` of
 * them, spread over all, one problem at a time, with the twins taking turns.
 */
export async function computeCost(
  attempts: readonly Attempt[],
  twins: Twins,
  timed: number,
): Promise<ComputeCost> {
  const flops = plannedFlops(twins.hybrid.config);
  const usages = attempts.map(({ results }) => results.map(({ usage }) => usage));
  const thought = usages.map((each) => sum(each.map((usage) => usage.reasoningTokens)));
  const completion = usages.map((each) => sum(each.map((usage) => usage.completionTokens)));
  const costs = await replayTwins(spread(attempts, timed), twins);
  const costOf = (name: keyof Twins): ModelCost => ({
    flops: mean(attempts.map((each) => flopsOf(each, flops[name]))),
    seconds: mean(costs[name].map(({ seconds }) => seconds)),
    stateBytes: mean(costs[name].map(({ stateBytes }) => stateBytes)),
  });
  return {
    tokens: {
      prompt: mean(attempts.map(({ prompt }) => prompt.length)),
      thought: mean(thought),
      answer: mean(completion) - mean(thought),
    },
    hybrid: costOf("hybrid"),
    softmax: costOf("softmax"),
  };
}

async function replayTwins(
  attempts: readonly Attempt[],
  twins: Twins,
): Promise<Record<keyof Twins, ReplayCost[]>> {
  const costs: Record<keyof Twins, ReplayCost[]> = { hybrid: [], softmax: [] };
  for (const { prompt, results } of attempts) {
    const completions = results.map(({ ids }) => ids);
    const runs: Record<keyof Twins, ReplayCost[]> = { hybrid: [], softmax: [] };
    for (let run = 0; run < timedRuns; run++) {
      for (const name of ["hybrid", "softmax"] as const) {
        runs[name].push(await replay(twins[name], prompt, completions));
      }
    }
    for (const name of ["hybrid", "softmax"] as const) {
      costs[name].push(runs[name].toSorted((a, b) => a.seconds - b.seconds)[0]!);
    }
  }
  return costs;
}

function flopsOf({ prompt, results }: Attempt, flops: Flops): number {
  // The last token of a completion is not fed.
  const decoded = results.map(({ ids }) =>
    flops(prompt.length, prompt.length + Math.max(0, ids.length - 1)),
  );
  return flops(0, prompt.length) + sum(decoded);
}

/** The planner's FLOPs of a token grow linearly with its context, so those of a stretch are a trapezium. */
export function plannedFlops(config: ModelConfig): Record<keyof Twins, Flops> {
  const [empty, one] = planModel(config, [0, 1]).contexts;
  const stretch = (atZero: number, atOne: number): Flops => {
    const at = (length: number): number => atZero + (atOne - atZero) * length;
    return (from, to) => ((to - from) * (at(from + 1) + at(to))) / 2;
  };
  return {
    hybrid: stretch(empty!.flopsPerToken, one!.flopsPerToken),
    softmax: stretch(empty!.softmaxTwinFlopsPerToken, one!.softmaxTwinFlopsPerToken),
  };
}

/** So many of the items, evenly spread. */
function spread<Item>(items: readonly Item[], count: number): Item[] {
  const size = Math.min(count, items.length);
  return Array.from({ length: size }, (_, i) => items[Math.floor((i * items.length) / size)]!);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
