import { embed, type CausalLanguageModel } from "@levin/model";
import type { EmbeddedPool } from "./embedded-pool.ts";
import { selectBySift, type Selection, type SiftOptions } from "./select-by-sift.ts";
import { tuneOnExamples, type TunedModel, type TuneOptions } from "./tune-on-examples.ts";

/** Options of {@link tuneForPrompt}. */
export interface TuneForPromptOptions extends TuneOptions, Omit<SiftOptions, "count"> {
  /** Examples, and so steps of a pass, at most; default 16. */
  count?: number;
}

/**
 * Test-time fine-tuning with SIFT: chooses the examples that tell most about a prompt and takes one
 * LoRA step for each. Answer with `model` of the result, then `drop()` it.
 *
 * @param prompt token ids
 * @param pool of {@link embedPool} by the same model
 * @throws SelectionError, TokenBatchError, and what {@link tuneOnExamples} throws
 */
export async function tuneForPrompt(
  model: CausalLanguageModel,
  prompt: readonly number[],
  pool: EmbeddedPool,
  options: TuneForPromptOptions = {},
): Promise<TunedModel & Selection> {
  const [query] = await embed(model, [prompt]);
  const selection = selectBySift(query!, pool.embeddings, { count: 16, ...options });
  const chosen = selection.picks.map((pick) => pool.examples[pick]!);
  return { ...(await tuneOnExamples(model, chosen, options)), ...selection };
}
