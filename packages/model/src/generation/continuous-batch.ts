import type { NextTokenModel } from "../next-token-model.ts";
import { AdmissionQueue } from "./admission-queue.ts";
import { checkPrompt, continueFrom, type GenerationResult, type TokenEvent } from "./generate.ts";
import {
  checkBatchOptions,
  checkOptions,
  type BatchOptions,
  type CheckedOptions,
  type GenerationOptions,
} from "./generation-options.ts";
import { readAhead } from "./read-ahead.ts";
import { BatchRow, RunningBatch } from "./running-batch.ts";
import type { TextTokenizer } from "./thought.ts";

/**
 * Generates for many prompts in one decoding step (continuous batching): each joins when there is a
 * row for it, first come, first served, and leaves when it ends. Prompts are read in chunks between
 * the steps. An error ends its own sequence alone, but for one in the step itself, which ends those
 * in it. Holds no memory when nothing runs.
 */
export class ContinuousBatch {
  readonly #model: NextTokenModel;
  readonly #tokenizer: TextTokenizer;
  readonly #readAhead: number;
  readonly #queue: AdmissionQueue;
  readonly #running: RunningBatch;

  /** @throws GenerationOptionsError */
  constructor(model: NextTokenModel, tokenizer: TextTokenizer, options: BatchOptions = {}) {
    const checked = checkBatchOptions(options);
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#readAhead = checked.readAhead;
    this.#queue = new AdmissionQueue(checked.maxRows);
    this.#running = new RunningBatch(model, checked.prefillTokens);
  }

  /** Sequences that were begun and have no row yet, or whose prompt waits for others to be read. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Decoding steps so far by how many sequences they moved on: of one, of two, and so on. */
  get stepCounts(): readonly number[] {
    return this.#running.stepCounts;
  }

  /**
   * What `generate` gives for this prompt, in company. Begins when its first token is asked for;
   * from then on it runs ahead of its reader by at most `readAhead` tokens, and after them sits out
   * until they are read. Whoever stops reading early ends it.
   *
   * @param prompt text, or token ids
   * @throws what `generate` throws
   */
  add(
    prompt: string | readonly number[],
    options: GenerationOptions = {},
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    const reader = new AbortController();
    const signal = AbortSignal.any([reader.signal, ...(options.signal ? [options.signal] : [])]);
    const stream = this.#generate(prompt, { ...options, signal });
    return readAhead(stream, this.#readAhead, () => reader.abort());
  }

  async *#generate(
    prompt: string | readonly number[],
    options: GenerationOptions,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    const checked = checkOptions(options);
    const ids = typeof prompt === "string" ? this.#tokenizer.encode(prompt) : prompt;
    checkPrompt(ids.length, 0, this.#model.config);
    // Aborted while it waits, it goes on without a place, and feeds nothing.
    const place = await this.#queue.enter(checked.signal);
    try {
      return yield* this.#inRow(ids, checked, () => place?.finishReading());
    } finally {
      place?.leave();
    }
  }

  async *#inRow(
    ids: readonly number[],
    options: CheckedOptions,
    onRead: () => void,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    const { prefixes, prefixSalt: salt } = options;
    const known = prefixes?.find(ids, salt);
    const row = new BatchRow(this.#running, known?.state ?? this.#model.createState(1));
    const continuation = {
      config: this.#model.config,
      tokenizer: this.#tokenizer,
      sequence: row,
      prompt: ids.slice(known?.length ?? 0),
      history: ids,
      logits: known?.logits,
      onRead: (logits: Float32Array) => {
        prefixes?.keep(ids, row.state!, logits, salt);
        onRead();
      },
      onFed: (fed: readonly number[], logits: Float32Array) => {
        if (!prefixes || !options.keepAnswer) return;
        const state = this.#running.copyState(row);
        // The logits are a part of those of all rows.
        prefixes.keep(fed, state, logits.slice(), salt);
        state.dispose();
      },
    };
    try {
      return yield* continueFrom(continuation, options);
    } finally {
      row.leave();
    }
  }
}
