import { OutOfMemoryError } from "@levin/kernels/node";
import {
  ContinuousBatch,
  PrefixCache,
  type GenerationOptions,
  type GenerationResult,
  type TokenEvent,
} from "@levin/model";
import { ApiError } from "./api/api-error.ts";
import type { ServedModel } from "./served-model.ts";

/** How much is served at once. */
export interface ServiceLimits {
  /** Answers that run together, in one decoding step. */
  maxBatch: number;
  /** Requests that may wait for a place among them. */
  queueCapacity: number;
  prefixCacheBytes: number;
}

/** Generates for several requests at once, until it is shut down. */
export class GenerationService {
  readonly served: ServedModel;
  readonly #batch: ContinuousBatch;
  readonly #capacity: number;
  readonly #shutdown = new AbortController();
  readonly #prefixes: PrefixCache;
  /** Requests that run or wait. */
  #open = 0;

  constructor(served: ServedModel, limits: ServiceLimits) {
    const { maxBatch, queueCapacity, prefixCacheBytes } = limits;
    this.served = served;
    this.#batch = new ContinuousBatch(served.model, served.tokenizer, { maxRows: maxBatch });
    this.#capacity = maxBatch + queueCapacity;
    this.#prefixes = new PrefixCache({ maxBytes: prefixCacheBytes });
  }

  get waiting(): number {
    return this.#batch.waiting;
  }

  /** @throws ApiError (503) when no more requests may wait or the server is going down */
  checkRoom(): void {
    if (this.#shutdown.signal.aborted) throw shuttingDown();
    if (this.#open < this.#capacity) return;
    throw new ApiError(503, "too many requests are waiting; try again later", {
      code: "overloaded",
    });
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
   * Waits for a place and generates; ends early when the client's signal aborts.
   * @throws ApiError (503) on shutdown or overload, and what `generate` throws
   */
  async *generate(
    promptIds: readonly number[],
    options: GenerationOptions,
    client: AbortSignal,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    this.checkRoom();
    this.#open += 1;
    const signal = AbortSignal.any([client, this.#shutdown.signal]);
    const prefixes = this.#prefixes;
    try {
      const result = yield* this.#batch.add(promptIds, { ...options, prefixes, signal });
      if (result.finishReason === "abort" && this.#shutdown.signal.aborted) throw shuttingDown();
      return result;
    } catch (error) {
      // Whoever comes next finds memory again.
      if (error instanceof OutOfMemoryError) this.#prefixes.dispose();
      throw error;
    } finally {
      this.#open -= 1;
    }
  }
}

function shuttingDown(): ApiError {
  return new ApiError(503, "the server is shutting down", { code: "shutting_down" });
}
