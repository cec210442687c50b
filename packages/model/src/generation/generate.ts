import { TokenBatchError } from "../token-batch.ts";
import type { ModelState, NextTokenModel } from "../next-token-model.ts";
import { checkOptions, type CheckedOptions, type GenerationOptions } from "./generation-options.ts";
import { softmax } from "./logit-filters.ts";
import { createSampler, logProbabilities, type TokenLogProbability } from "./sampler.ts";
import { StopStrings } from "./stop-strings.ts";
import { Thought, type TextTokenizer } from "./thought.ts";

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
  usage: { promptTokens: number; completionTokens: number; reasoningTokens: number };
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
  const state = model.createState(1);
  try {
    return yield* continueFrom({ model, tokenizer, state, prompt: ids, history: ids }, options);
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
  /** All tokens of the sequence, `prompt` included. */
  history: readonly number[];
  /** Random state of an earlier run. */
  samplerState?: readonly number[];
  /** Told about each token that was fed, and about the sampler at the end. */
  onFed?(ids: readonly number[]): void;
  onEnd?(samplerState: number[]): void;
}

/** Generates on from a state; used by {@link generate} and by sessions. */
export async function* continueFrom(
  from: Continuation,
  options: GenerationOptions,
): AsyncGenerator<TokenEvent, GenerationResult> {
  const checked = checkOptions(options);
  const { model, state, prompt } = from;
  const limit = model.config.maxPositionEmbeddings;
  if (prompt.length === 0)
    throw new TokenBatchError("prompt: expected at least one token, found none");
  if (state.length + prompt.length >= limit) {
    throw new PromptTooLongError(limit, state.length + prompt.length);
  }
  const sampler = createSampler(checked, from.samplerState);
  const run = new GenerationRun(from, checked);
  let logits = await prefill(from, checked);
  while (logits && run.finishReason === undefined) {
    const id = run.nextForced() ?? sampler.draw(logits, run.history);
    yield run.accept(id, logits);
    if (run.finishReason !== undefined) break;
    logits = await feed(from, [id]);
    if (checked.signal?.aborted) run.finishReason = "abort";
    else if (state.length >= limit) run.finishReason = "length";
  }
  from.onEnd?.(sampler.state());
  return run.result();
}

async function prefill(
  from: Continuation,
  options: CheckedOptions,
): Promise<Float32Array | undefined> {
  let logits: Float32Array | undefined;
  for (let start = 0; start < from.prompt.length; start += options.prefillChunk) {
    if (options.signal?.aborted) return undefined;
    logits = await feed(from, from.prompt.slice(start, start + options.prefillChunk));
    const done = Math.min(from.prompt.length, start + options.prefillChunk);
    options.onPrefill?.(done, from.prompt.length);
  }
  return options.signal?.aborted ? undefined : logits;
}

async function feed(from: Continuation, ids: readonly number[]): Promise<Float32Array> {
  const tensor = from.model.advance(from.state, { ids: [ids] });
  from.onFed?.(ids);
  const logits = (await tensor.data()) as Float32Array;
  tensor.dispose();
  // A server must get to its other requests between tokens.
  await new Promise((resolve) => setTimeout(resolve, 0));
  return logits;
}

/** What has been generated so far, and whether it is finished. */
class GenerationRun {
  readonly ids: number[] = [];
  finishReason: FinishReason | undefined;
  readonly #options: CheckedOptions;
  readonly #from: Continuation;
  readonly #thought: Thought;
  readonly #decoder: ReturnType<TextTokenizer["createDecodeStream"]>;
  readonly #stops: StopStrings;
  readonly #closing: number[];
  #forced: number[] = [];
  #text = "";
  #reasoning = "";
  #stopString: string | undefined;
  #certain = 0;

  constructor(from: Continuation, options: CheckedOptions) {
    this.#from = from;
    this.#options = options;
    this.#thought = new Thought(from.tokenizer);
    this.#thought.observePrompt(from.history);
    this.#decoder = from.tokenizer.createDecodeStream({ skipSpecialTokens: true });
    this.#stops = new StopStrings(options.stop);
    this.#closing = from.tokenizer.encode(options.thoughtClosing);
    if (options.maxNewTokens === 0) this.finishReason = "length";
    if (options.signal?.aborted) this.finishReason = "abort";
  }

  get history(): readonly number[] {
    return [...this.#from.history, ...this.ids];
  }

  /** The next token of a forced closing, if the thought's budget is used up. */
  nextForced(): number | undefined {
    const { thinkingBudget } = this.#options;
    const spent = thinkingBudget !== undefined && this.#thought.tokens >= thinkingBudget;
    if (this.#forced.length === 0 && this.#thought.inside && spent && !this.#closed) {
      this.#forced = [...this.#closing];
      this.#closed = true;
    }
    return this.#forced[0];
  }

  /** A thought is closed by force once; what the closing's tokens count does not matter then. */
  #closed = false;

  accept(id: number, logits: Float32Array): TokenEvent {
    const forced = this.#forced.shift() !== undefined;
    const { logprobs, maxNewTokens, truncateRepetition } = this.#options;
    const isEnd = this.#from.model.config.eosTokenId.includes(id);
    const inside = this.#thought.inside;
    const isMark = this.#thought.observe(id);
    if (forced && inside && !isMark) this.#thought.tokens--;
    this.ids.push(id);
    const part = isMark || isEnd ? "mark" : inside ? "thought" : "answer";
    const text = this.#emit(id, part);
    const certain = !forced && softmax(logits)[id]! > truncateRepetition.probability;
    this.#certain = certain ? this.#certain + 1 : 0;
    if (this.finishReason === undefined) {
      if (isEnd) this.finishReason = "stop";
      else if (this.#certain >= truncateRepetition.window) this.finishReason = "repetition";
      else if (this.ids.length >= maxNewTokens) this.finishReason = "length";
    }
    return {
      type: "token",
      id,
      text: this.finishReason === undefined ? text : text + this.#flush(part),
      part,
      forced,
      ...(logprobs !== undefined && logProbabilities(logits, id, logprobs)),
    };
  }

  #emit(id: number, part: TokenEvent["part"]): string {
    const piece = this.#decoder.push(id);
    if (part === "thought") {
      this.#reasoning += piece;
      return piece;
    }
    // The line breaks that set the answer apart from its thought belong to neither.
    const answer = this.#text === "" && this.#afterThought ? piece.trimStart() : piece;
    if (part === "mark") this.#afterThought = true;
    const { text, stopped } = this.#stops.push(answer);
    if (stopped !== undefined) {
      this.#stopString = stopped;
      this.finishReason = "stop";
    }
    this.#text += text;
    return text;
  }

  #afterThought = false;

  #flush(part: TokenEvent["part"]): string {
    const rest = this.#stopString === undefined ? this.#decoder.flush() : "";
    if (part === "thought") {
      this.#reasoning += rest;
      return rest;
    }
    const text = this.#stops.push(rest).text + this.#stops.flush();
    this.#text += text;
    return text;
  }

  result(): GenerationResult {
    return {
      ids: this.ids,
      reasoningText: this.#reasoning.trim(),
      text: this.#text,
      finishReason: this.finishReason ?? "abort",
      ...(this.#stopString !== undefined && { stopString: this.#stopString }),
      usage: {
        promptTokens: this.#from.prompt.length,
        completionTokens: this.ids.length,
        reasoningTokens: this.#thought.tokens,
      },
    };
  }
}
