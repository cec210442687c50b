import type { NextTokenModel } from "../next-token-model.ts";
import { TokenBatchError } from "../token-batch.ts";
import { checkOptions, type GenerationOptions } from "./generation-options.ts";
import { PromptTooLongError } from "./generate.ts";
import { createSampler } from "./sampler.ts";

/** New tokens of one prompt of a batch. */
export interface BatchCompletion {
  ids: number[];
  finishReason: "stop" | "length" | "abort";
}

/**
 * Generates for several prompts at once, padded on the left. Each row draws from its own sampler
 * (`seed` + row), so it gets what it would get alone.
 *
 * @param prompts token ids of each prompt
 * @throws GenerationOptionsError, PromptTooLongError, TokenBatchError
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
  > = {},
): Promise<BatchCompletion[]> {
  const checked = checkOptions(options);
  const limit = model.config.maxPositionEmbeddings;
  const longest = Math.max(0, ...prompts.map((prompt) => prompt.length));
  if (prompts.length === 0 || prompts.some((prompt) => prompt.length === 0)) {
    throw new TokenBatchError("prompts: expected one or more of at least one token each");
  }
  if (longest >= limit) throw new PromptTooLongError(limit, longest);
  const seed = checked.seed ?? Math.floor(Math.random() * 2 ** 31);
  const samplers = prompts.map((_, row) => createSampler({ ...checked, seed: seed + row }));
  const rows = prompts.map((): BatchCompletion => ({ ids: [], finishReason: "length" }));
  const open = new Set(rows.keys());
  const state = model.createState(prompts.length);
  try {
    let tokens = leftPadded(prompts, longest);
    for (let step = 0; step < checked.maxNewTokens && open.size > 0; step++) {
      if (checked.signal?.aborted) {
        for (const row of open) rows[row]!.finishReason = "abort";
        break;
      }
      const logits = model.advance(state, tokens);
      const all = (await logits.data()) as Float32Array;
      logits.dispose();
      const width = all.length / prompts.length;
      for (const row of open) {
        const completion = rows[row]!;
        const own = all.subarray(row * width, (row + 1) * width);
        const id = samplers[row]!.draw(own, [...prompts[row]!, ...completion.ids]);
        completion.ids.push(id);
        if (!model.config.eosTokenId.includes(id)) continue;
        completion.finishReason = "stop";
        open.delete(row);
      }
      if (state.length >= limit) break;
      tokens = {
        ids: rows.map(({ ids }) => [ids.at(-1)!]),
        mask: rows.map((_, row) => [open.has(row) ? 1 : 0]),
      };
    }
  } finally {
    state.dispose();
  }
  return rows;
}

function leftPadded(
  prompts: readonly (readonly number[])[],
  length: number,
): { ids: number[][]; mask: number[][] } {
  const padding = (prompt: readonly number[]): number[] =>
    Array<number>(length - prompt.length).fill(0);
  return {
    ids: prompts.map((prompt) => [...padding(prompt), ...prompt]),
    mask: prompts.map((prompt) => [...padding(prompt), ...prompt.map(() => 1)]),
  };
}
