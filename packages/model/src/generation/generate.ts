import type { AnswerConstraint } from "../constraints/answer-constraint.ts";
import { TokenBatchError } from "../token-batch.ts";
import type { NextTokenModel } from "../next-token-model.ts";
import { checkOptions, type CheckedOptions, type GenerationOptions } from "./generation-options.ts";
import { GenerationRun } from "./generation-run.ts";
import { createSampler, type SamplerState, type TokenLogProbability } from "./sampler.ts";
import { SingleSequence, type Sequence } from "./sequence.ts";
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

/** What a generation came to. */
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
 * Checks that there is a prompt, and room for an answer.
 *
 * @param before tokens of the sequence before the prompt
 * @throws TokenBatchError, PromptTooLongError
 */
export function checkPrompt(
  length: number,
  before: number,
  { maxPositionEmbeddings }: Pick<NextTokenModel["config"], "maxPositionEmbeddings">,
): void {
  if (length === 0) throw new TokenBatchError("prompt: expected at least one token, found none");
  if (before + length >= maxPositionEmbeddings) {
    throw new PromptTooLongError(maxPositionEmbeddings, before + length);
  }
}

/**
 * Generates text token by token: iterate for the stream, the generator's return value sums up.
 *
 * @param prompt text, or token ids
 * @throws GenerationOptionsError, PromptTooLongError, TokenBatchError for an empty prompt, LogitsError,
 *   ConstraintError
 */
export async function* generate(
  model: NextTokenModel,
  tokenizer: TextTokenizer,
  prompt: string | readonly number[],
  options: GenerationOptions = {},
): AsyncGenerator<TokenEvent, GenerationResult> {
  const checked = checkOptions(options);
  const { prefixes, prefixSalt: salt } = checked;
  const ids = typeof prompt === "string" ? tokenizer.encode(prompt) : prompt;
  checkPrompt(ids.length, 0, model.config);
  const known = prefixes?.find(ids, salt);
  const state = known?.state ?? model.createState(1);
  const continuation = {
    config: model.config,
    tokenizer,
    sequence: new SingleSequence(model, state),
    prompt: ids.slice(known?.length ?? 0),
    history: ids,
    logits: known?.logits,
    onRead: (logits: Float32Array) => prefixes?.keep(ids, state, logits, salt),
    onFed: (fed: readonly number[], logits: Float32Array) => {
      if (checked.keepAnswer) prefixes?.keep(fed, state, logits, salt);
    },
  };
  try {
    return yield* continueFrom(continuation, checked);
  } finally {
    state.dispose();
  }
}

/** A sequence in the middle, tokens not yet fed, and all tokens so far. */
export interface Continuation {
  config: NextTokenModel["config"];
  tokenizer: TextTokenizer;
  sequence: Sequence;
  /** Tokens to feed first. */
  prompt: readonly number[];
  /** Logits `[vocab]` of the sequence; needed only when there are no tokens to feed. */
  logits?: Float32Array | undefined;
  /** All tokens of the sequence, `prompt` included. */
  history: readonly number[];
  /** Random state of an earlier run. */
  samplerState?: SamplerState;
  /** Told when all of `prompt` was fed, with the logits after it, and about the sampler however the run ends. */
  onRead?(logits: Float32Array): void;
  onEnd?(samplerState: SamplerState): void;
  /** Told at the end which tokens were fed in all, with the logits after them; not after an abort. */
  onFed?(ids: readonly number[], logits: Float32Array): void;
}

/** Generates on from where a sequence is; used by {@link generate}, sessions and batches. */
export async function* continueFrom(
  from: Continuation,
  options: CheckedOptions,
): AsyncGenerator<TokenEvent, GenerationResult> {
  const sampler = createSampler(options, from.samplerState);
  const run = new GenerationRun(from, options, await answerConstraint(from, options));
  let logits: Float32Array | undefined;
  try {
    logits = await prefill(from, options, run);
    while (logits && run.finishReason === undefined) {
      const id = run.nextForced() ?? sampler.draw(run.allowed(logits), run.seen, run.said);
      yield run.accept(id, logits);
      // The last token is left to whoever continues, so that there always is one to go on from.
      if (run.finishReason === undefined) logits = await from.sequence.step(id, options.signal);
    }
    return run.result();
  } finally {
    from.onEnd?.(sampler.state());
    // The last token is always one that was not fed.
    if (logits && run.ids.length > 0) {
      from.onFed?.([...from.history, ...run.ids.slice(0, -1)], logits);
    }
  }
}

/** Loaded when an answer has a constraint, so that a page without any does not carry it. */
async function answerConstraint(
  { tokenizer, config }: Continuation,
  { constraint }: CheckedOptions,
): Promise<AnswerConstraint | undefined> {
  if (!constraint) return undefined;
  const { AnswerConstraint } = await import("../constraints/answer-constraint.ts");
  return new AnswerConstraint(constraint, tokenizer, config.vocabSize);
}

async function prefill(
  from: Continuation,
  options: CheckedOptions,
  { promptTokens, cachedTokens: cached }: GenerationRun,
): Promise<Float32Array | undefined> {
  const { prompt, sequence } = from;
  const { prefillChunk, signal, onPrefill } = options;
  const total = options.maxNewTokens === 0 ? prompt.length - 1 : prompt.length;
  let { logits } = from;
  onPrefill?.({ total: promptTokens, cached, processed: cached });
  for (let start = 0; start < total; start += prefillChunk) {
    const done = Math.min(total, start + prefillChunk);
    logits = await sequence.prefill(prompt.slice(start, done), signal);
    if (!logits) return undefined;
    onPrefill?.({ total: promptTokens, cached, processed: cached + done });
  }
  if (signal?.aborted) return undefined;
  if (logits && total === prompt.length) from.onRead?.(logits);
  return logits;
}
