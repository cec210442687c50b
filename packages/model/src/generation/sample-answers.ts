import type { NextTokenModel } from "../next-token-model.ts";
import { generateBatch } from "./generate-batch.ts";
import type { GenerationResult } from "./generate.ts";
import { GenerationOptionsError, type GenerationOptions } from "./generation-options.ts";
import { PrefixCache } from "./prefix-cache.ts";
import type { TextTokenizer } from "./thought.ts";

/** How many answers to draw, how many at once (default 32), and all that `generate` takes. */
export type SampleOptions = GenerationOptions & { count: number; maxRows?: number };

/**
 * Several answers to one prompt, decoded together from one prefilled state: only the first reads
 * the prompt. The temperature is 1 unless told otherwise, and each draws with a seed of its own
 * (`seed` + its number). What {@link majorityVote} and {@link bestOf} choose from.
 *
 * @param prompt text, or token ids
 * @throws GenerationOptionsError for a count below 1; else what `generate` throws
 */
export async function sampleAnswers(
  model: NextTokenModel,
  tokenizer: TextTokenizer,
  prompt: string | readonly number[],
  { count, prefixes, ...options }: SampleOptions,
): Promise<GenerationResult[]> {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new GenerationOptionsError(`count: expected a whole number from 1 on, found ${count}`);
  }
  const own = prefixes ? undefined : new PrefixCache({ maxBytes: Infinity });
  const prompts = Array.from({ length: count }, () => prompt);
  try {
    return await generateBatch(model, tokenizer, prompts, {
      temperature: 1,
      ...options,
      prefixes: prefixes ?? own,
    });
  } finally {
    own?.dispose();
  }
}
