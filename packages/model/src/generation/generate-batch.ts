import type { NextTokenModel } from "../next-token-model.ts";
import { ContinuousBatch } from "./continuous-batch.ts";
import type { GenerationResult, TokenEvent } from "./generate.ts";
import type { GenerationOptions } from "./generation-options.ts";
import type { TextTokenizer } from "./thought.ts";

/**
 * Generates for several prompts together; each draws from a sampler of its own (`seed` + its
 * number), so it gets what it would get alone.
 *
 * @param maxRows prompts at most that run at once; default 32
 * @throws what `generate` throws for any of them
 */
export async function generateBatch(
  model: NextTokenModel,
  tokenizer: TextTokenizer,
  prompts: readonly (string | readonly number[])[],
  {
    maxRows = 32,
    onToken,
    ...options
  }: GenerationOptions & {
    maxRows?: number;
    /** Is told each token, with the number of its prompt. */
    onToken?: (event: TokenEvent, prompt: number) => void;
  } = {},
): Promise<GenerationResult[]> {
  const batch = new ContinuousBatch(model, tokenizer, { maxRows });
  const end = new AbortController();
  const signal = AbortSignal.any([end.signal, ...(options.signal ? [options.signal] : [])]);
  const results = prompts.map((prompt, i) => {
    const seed = options.seed === undefined ? undefined : options.seed + i;
    const stream = batch.add(prompt, { ...options, seed, signal });
    return resultOf(stream, (event) => onToken?.(event, i));
  });
  try {
    return await Promise.all(results);
  } finally {
    // After an error of one, the others end too.
    end.abort();
    await Promise.allSettled(results);
  }
}

async function resultOf(
  stream: AsyncGenerator<TokenEvent, GenerationResult>,
  onToken: (event: TokenEvent) => void,
): Promise<GenerationResult> {
  for (;;) {
    const next = await stream.next();
    if (next.done) return next.value;
    onToken(next.value);
  }
}
