import { TokenBatchError } from "../token-batch.ts";
import type { ModelState, NextTokenModel } from "../next-token-model.ts";
import { checkOptions, type CheckedOptions, type GenerationOptions } from "./generation-options.ts";
import { GenerationRun } from "./generation-run.ts";
import { nextTask } from "./next-task.ts";
import { createSampler, type SamplerState, type TokenLogProbability } from "./sampler.ts";
import type { TextTokenizer } from "./thought.ts";

/** Why generation ended. */
export type FinishReason = "stop" | "length" | "abort" | "repetition";

/** One new token and the text that it completed (held-back text comes with a later one). */
export interface TokenEvent {
  type: "token";
  id: number;
  text: string;
  /** Part of the thought; its marks are neither thought nor answer. */
  part: "thought" | "mark" | "answer";
  /** True for tokens that closed a thought over its budget. */
  forced: boolean;
  logprob?: number;
  topLogprobs?: TokenLogProbability[];
}

export interface GenerationResult {
  ids: number[];
  /** The thought, without its marks. */
  reasoningText: string;
  /** The answer. */
  text: string;
  finishReason: FinishReason;
  /** The stop string that ended it, if one did. */
  stopString?: string;
  usage: {
    promptTokens: number;
    /** Of the prompt, those whose state was known. */
    cachedTokens: number;
    completionTokens: number;
    reasoningTokens: number;
  };
}

/** Raised when prompt and new tokens do not fit the model's context. */
export class PromptTooLongError extends Error {
  override readonly name = "PromptTooLongError";
  readonly limit: number;
  readonly found: number;
  constructor(limit: number, found: number) {
    super(`prompt: expected at most ${limit - 1} tokens of context, found ${found}`);
    this.limit = limit;
    this.found = found;
  }
}

/**
 * Generates text token by token: iterate for the stream, the generator's return value sums up.
 *
 * @param prompt text, or token ids
 * @throws GenerationOptionsError, PromptTooLongError, TokenBatchError for an empty prompt, LogitsError
 */
export async function* generate(
  model: NextTokenModel,
  tokenizer: TextTokenizer,
  prompt: string | readonly number[],
  options: GenerationOptions = {},
): AsyncGenerator<TokenEvent, GenerationResult> {
  const ids = typeof prompt === "string" ? tokenizer.encode(prompt) : prompt;
  const known = options.prefixes?.find(ids);
  const state = known?.state ?? model.createState(1);
  const unread = ids.slice(known?.length ?? 0);
  const from = { model, tokenizer, state, prompt: unread, history: ids, logits: known?.logits };
  try {
    return yield* continueFrom(from, options);
  } finally {
    state.dispose();
  }
}

/** A sequence in the middle: a state, tokens not yet fed, and all tokens so far. */
export interface Continuation {
  model: NextTokenModel;
  tokenizer: TextTokenizer;
  /** Moves on; stays the caller's. */
  state: ModelState;
  /** Tokens to feed first. */
  prompt: readonly number[];
  /** Logits `[vocab]` of the state; needed only when there are no tokens to feed. */
  logits?: Float32Array | undefined;
  /** All tokens of the sequence, `prompt` included. */
  history: readonly number[];
  /** Random state of an earlier run. */
  samplerState?: SamplerState;
  /** Told about tokens that were fed, and about the sampler however the run ends. */
  onFed?(ids: readonly number[]): void;
  onEnd?(samplerState: SamplerState): void;
}

/** Generates on from a state; used by {@link generate} and by sessions. */
export async function* continueFrom(
  from: Continuation,
  options: GenerationOptions,
): AsyncGenerator<TokenEvent, GenerationResult> {
  const checked = checkOptions(options);
  const { model, state, prompt } = from;
  const limit = model.config.maxPositionEmbeddings;
  if (prompt.length === 0 && !from.logits)
    throw new TokenBatchError("prompt: expected at least one token, found none");
  if (state.length + prompt.length >= limit) {
    throw new PromptTooLongError(limit, state.length + prompt.length);
  }
  const sampler = createSampler(checked, from.samplerState);
  const run = new GenerationRun(from, checked);
  try {
    let logits = await prefill(from, checked);
    while (logits && run.finishReason === undefined) {
      const id = run.nextForced() ?? sampler.draw(logits, run.seen);
      yield run.accept(id, logits);
      // The last token is left to whoever continues, so that there always is one to go on from.
      if (run.finishReason === undefined) logits = await feed(from, [id], checked.signal);
    }
    return run.result();
  } finally {
    from.onEnd?.(sampler.state());
  }
}

async function prefill(
  from: Continuation,
  options: CheckedOptions,
): Promise<Float32Array | undefined> {
  const { prompt, history, state } = from;
  const { prefixes, prefillChunk, signal, onPrefill } = options;
  const total = options.maxNewTokens === 0 ? prompt.length - 1 : prompt.length;
  let { logits } = from;
  for (let start = 0; start < total; start += prefillChunk) {
    const done = Math.min(total, start + prefillChunk);
    logits = await feed(from, prompt.slice(start, done), signal);
    if (!logits) return undefined;
    if (done === prompt.length) prefixes?.keep(history, state, logits);
    onPrefill?.(done, prompt.length);
  }
  return signal?.aborted ? undefined : logits;
}

/** Logits `[vocab]` after the tokens; undefined, and nothing fed, when aborted. */
async function feed(
  from: Continuation,
  ids: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Float32Array | undefined> {
  await nextTask();
  if (signal?.aborted) return undefined;
  const logits = from.model.advance(from.state, { ids: [ids] });
  from.onFed?.(ids);
  try {
    return (await logits.data()) as Float32Array;
  } finally {
    logits.dispose();
  }
}
