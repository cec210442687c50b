import {
  generateBatch,
  PrefixCache,
  type GenerationOptions,
  type GenerationResult,
} from "@levin/model";
import type { Problem } from "@levin/tasks";
import type { Reasoner } from "./reasoner.ts";

/** Answers of a model to a problem; one, or several samples. */
export interface Attempt {
  problem: Problem;
  prompt: readonly number[];
  results: readonly GenerationResult[];
}

/** Asks all problems `count` times in one batch; the samples of a problem share its prefilled state. */
export async function attempt(
  { model, tokenizer, encodePrompt }: Reasoner,
  problems: readonly Problem[],
  { count, ...options }: GenerationOptions & { count: number },
): Promise<Attempt[]> {
  const prompts = problems.map(({ prompt }) => encodePrompt(prompt));
  const prefixes = new PrefixCache();
  try {
    const copies = prompts.flatMap((prompt) => Array.from({ length: count }, () => prompt));
    const results = await generateBatch(model, tokenizer, copies, {
      ...options,
      prefixes,
    });
    return problems.map((problem, i) => ({
      problem,
      prompt: prompts[i]!,
      results: results.slice(i * count, (i + 1) * count),
    }));
  } finally {
    prefixes.dispose();
  }
}

/**
 * Greedy answers within each thinking budget, budgets in rising order. An answer whose thought ended
 * by itself is the same for every greater budget, so only the others are asked again.
 */
export async function attemptWithinBudgets(
  reasoner: Reasoner,
  problems: readonly Problem[],
  budgets: readonly number[],
  answerTokens: number,
): Promise<Map<number, Attempt[]>> {
  const byBudget = new Map<number, Attempt[]>();
  let known = new Map<Problem, Attempt>();
  for (const budget of budgets.toSorted((a, b) => a - b)) {
    const open = problems.filter((problem) => !known.has(problem));
    process.stderr.write(`${reasoner.name}, budget ${budget}: ${open.length} problems to ask\n`);
    const asked = await attempt(reasoner, open, { count: 1, ...limits(budget, answerTokens) });
    const all = new Map([...known, ...asked.map((each) => [each.problem, each] as const)]);
    byBudget.set(
      budget,
      problems.map((problem) => all.get(problem)!),
    );
    known = new Map([...all].filter(([, { results }]) => hasEnded(results[0]!, budget)));
  }
  return byBudget;
}

/** Room for the thought, and for what closes and answers it. */
export function limits(
  thinkingBudget: number,
  answerTokens: number,
): Pick<GenerationOptions, "thinkingBudget" | "maxNewTokens"> {
  return { thinkingBudget, maxNewTokens: thinkingBudget + answerTokens };
}

function hasEnded({ finishReason, usage }: GenerationResult, budget: number): boolean {
  return finishReason === "stop" && usage.reasoningTokens < budget;
}
