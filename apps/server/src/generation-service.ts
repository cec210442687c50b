import { OutOfMemoryError } from "@levin/kernels/node";
import {
  generate,
  PrefixCache,
  type GenerationOptions,
  type GenerationResult,
  type TokenEvent,
} from "@levin/model";
import { ApiError } from "./api/api-error.ts";
import type { ServedModel } from "./served-model.ts";
import { TurnQueue } from "./turn-queue.ts";

/** Generates for one request after the other, until it is shut down. */
export class GenerationService {
  readonly served: ServedModel;
  readonly #queue: TurnQueue;
  readonly #shutdown = new AbortController();

  readonly #prefixes: PrefixCache;

  constructor(
    served: ServedModel,
    { queueCapacity, prefixCacheBytes }: { queueCapacity: number; prefixCacheBytes: number },
  ) {
    this.served = served;
    this.#queue = new TurnQueue(queueCapacity);
    this.#prefixes = new PrefixCache({ maxBytes: prefixCacheBytes });
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  /** @throws ApiError (503) when no more requests may wait or the server is going down */
  checkRoom(): void {
    if (this.#shutdown.signal.aborted) throw shuttingDown();
    this.#queue.checkRoom();
  }

  /** Forgets all states of earlier prompts. */
  dispose(): void {
    this.#prefixes.dispose();
  }

  /** Ends all generation, running and waiting, with a 503. */
  abortAll(): void {
    this.#shutdown.abort();
  }

  /**
   * Waits for its turn and generates; ends early when the client's signal aborts.
   * @throws ApiError (503) on shutdown, and what `generate` throws
   */
  async *generate(
    promptIds: readonly number[],
    options: GenerationOptions,
    client: AbortSignal,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    const signal = AbortSignal.any([client, this.#shutdown.signal]);
    const leave = await this.#queue.enter(signal).catch((error: unknown) => {
      throw this.#shutdown.signal.aborted ? shuttingDown() : error;
    });
    try {
      const { model, tokenizer } = this.served;
      const prefixes = this.#prefixes;
      const result = yield* generate(model, tokenizer, promptIds, { ...options, prefixes, signal });
      if (result.finishReason === "abort" && this.#shutdown.signal.aborted) throw shuttingDown();
      return result;
    } catch (error) {
      // Whoever comes next finds memory again.
      if (error instanceof OutOfMemoryError) this.#prefixes.dispose();
      throw error;
    } finally {
      leave();
    }
  }
}

function shuttingDown(): ApiError {
  return new ApiError(503, "the server is shutting down", { code: "shutting_down" });
}
