import type { ModelState, NextTokenModel } from "../next-token-model.ts";
import { TokenBatchError, type TokenBatch } from "../token-batch.ts";
import { checkOptions, type GenerationOptions } from "./generation-options.ts";
import { PromptTooLongError } from "./generate.ts";
import { nextTask } from "./next-task.ts";
import { createSampler, type Sampler } from "./sampler.ts";

/** New tokens of one prompt of a batch. */
export interface BatchCompletion {
  ids: number[];
  finishReason: "stop" | "length" | "abort";
}

/**
 * Generates for several prompts at once, padded on the left. Rows finish separately, and each draws
 * from its own sampler (`seed` + row), so it gets what it would get alone.
 *
 * @param prompts token ids of each prompt
 * @throws GenerationOptionsError, PromptTooLongError, TokenBatchError, LogitsError
 */
export async function generateBatch(
  model: NextTokenModel,
  prompts: readonly (readonly number[])[],
  options: Pick<
    GenerationOptions,
    | "maxNewTokens"
    | "temperature"
    | "topK"
    | "topP"
    | "minP"
    | "repetitionPenalty"
    | "seed"
    | "signal"
    | "prefillChunk"
  > = {},
): Promise<BatchCompletion[]> {
  const checked = checkOptions(options);
  checkPrompts(prompts, model.config.maxPositionEmbeddings);
  const seed = checked.seed ?? Math.floor(Math.random() * 2 ** 31);
  const rows = prompts.map(
    (prompt, row) => new BatchRow(model, prompt, createSampler({ ...checked, seed: seed + row })),
  );
  if (checked.maxNewTokens === 0) return rows.map(({ completion }) => completion);
  const state = model.createState(prompts.length);
  try {
    let tokens: TokenBatch = leftPadded(prompts);
    while (rows.some((row) => row.open)) {
      const logits = await feedInChunks({ model, state, tokens, ...checked });
      for (const [index, row] of rows.entries()) {
        if (!row.open) continue;
        if (!logits) row.finish("abort");
        else row.draw(logits, index, checked.maxNewTokens);
      }
      tokens = {
        ids: rows.map((row) => [row.completion.ids.at(-1) ?? 0]),
        mask: rows.map((row) => [row.open ? 1 : 0]),
      };
    }
  } finally {
    state.dispose();
  }
  return rows.map(({ completion }) => completion);
}

/** One prompt on its way. */
class BatchRow {
  readonly completion: BatchCompletion = { ids: [], finishReason: "length" };
  open = true;
  readonly #config: NextTokenModel["config"];
  readonly #promptLength: number;
  readonly #sampler: Sampler;
  readonly #seen: Set<number>;

  constructor(model: NextTokenModel, prompt: readonly number[], sampler: Sampler) {
    this.#config = model.config;
    this.#promptLength = prompt.length;
    this.#sampler = sampler;
    this.#seen = new Set(prompt);
  }

  draw(logits: Float32Array, row: number, maxNewTokens: number): void {
    const { vocabSize, eosTokenId, maxPositionEmbeddings } = this.#config;
    const id = this.#sampler.draw(
      logits.subarray(row * vocabSize, (row + 1) * vocabSize),
      this.#seen,
    );
    const { ids } = this.completion;
    ids.push(id);
    this.#seen.add(id);
    // Padding takes no place in the context: a row may go as far as it could alone.
    const contextFull = this.#promptLength + ids.length >= maxPositionEmbeddings;
    if (eosTokenId.includes(id)) this.finish("stop");
    else if (contextFull || ids.length >= maxNewTokens) this.finish("length");
  }

  finish(reason: BatchCompletion["finishReason"]): void {
    this.completion.finishReason = reason;
    this.open = false;
  }
}

/** Logits `[rows · vocab]` after all tokens; undefined when aborted. */
async function feedInChunks(feed: {
  model: NextTokenModel;
  state: ModelState;
  tokens: TokenBatch;
  prefillChunk: number;
  signal?: AbortSignal | undefined;
}): Promise<Float32Array | undefined> {
  const { model, state, tokens, prefillChunk, signal } = feed;
  const length = tokens.ids[0]!.length;
  for (let start = 0; ; start += prefillChunk) {
    await nextTask();
    if (signal?.aborted) return undefined;
    const end = start + prefillChunk;
    const logits = model.advance(state, {
      ids: tokens.ids.map((row) => row.slice(start, end)),
      mask: tokens.mask?.map((row) => row.slice(start, end)),
    });
    try {
      if (end >= length) return (await logits.data()) as Float32Array;
    } finally {
      logits.dispose();
    }
  }
}

function checkPrompts(prompts: readonly (readonly number[])[], limit: number): void {
  if (prompts.length === 0 || prompts.some((prompt) => prompt.length === 0)) {
    throw new TokenBatchError("prompts: expected one or more of at least one token each");
  }
  const longest = longestOf(prompts);
  if (longest >= limit) throw new PromptTooLongError(limit, longest);
}

function longestOf(prompts: readonly (readonly number[])[]): number {
  return prompts.reduce((longest, prompt) => Math.max(longest, prompt.length), 0);
}

function leftPadded(prompts: readonly (readonly number[])[]): TokenBatch {
  const length = longestOf(prompts);
  const padding = (prompt: readonly number[]): number[] =>
    Array<number>(length - prompt.length).fill(0);
  return {
    ids: prompts.map((prompt) => [...padding(prompt), ...prompt]),
    mask: prompts.map((prompt) => [...padding(prompt), ...prompt.map(() => 1)]),
  };
}
