import type { Variant } from "../answers/use-answers.ts";
import type { AskableModels } from "../model/use-models.ts";
import { offeredTools } from "../tools/offered-tools.ts";
import type { Settings } from "./use-settings.ts";

/** What answers can stand side by side. */
export const comparisons = {
  none: "One answer",
  budgets: "No thinking | 512 tokens",
  models: "Two models",
} as const;

export type Comparison = keyof typeof comparisons;

/** The answers that a question gets: one, or two to compare. */
export function variantsOf(
  { budget, comparison, ...settings }: Settings,
  { models, source }: AskableModels,
): Variant[] {
  const [first, second] = models;
  const one: Variant = { source, model: first?.id ?? "", budget, tools: offeredTools(settings) };
  if (comparison === "budgets") {
    return [
      { ...one, budget: 0, label: "No thinking" },
      { ...one, budget: 512, label: "Up to 512 tokens of thought" },
    ];
  }
  if (comparison === "models" && second) {
    return [first!, second].map(({ id }) => ({ ...one, model: id, label: id }));
  }
  return [one];
}
