import type { GenerationResult, TokenEvent } from "@levin/model";
import { ApiError } from "./api/api-error.ts";
import type { Engine, GenerationSettings } from "./engine/engine.ts";
import type { ServedModel } from "./served-model.ts";

/** How much is served at once. */
export interface ServiceLimits {
  /** Answers that run together, in one decoding step. */
  maxBatch: number;
  /** Requests that may wait for a place among them. */
  queueCapacity: number;
}

/** Generates for several requests at once, until it is shut down. */
export class GenerationService {
  readonly served: ServedModel;
  readonly #engine: Engine;
  readonly #limits: ServiceLimits;
  readonly #shutdown = new AbortController();
  /** Requests that run or wait. */
  #open = 0;

  constructor(served: ServedModel, engine: Engine, limits: ServiceLimits) {
    this.served = served;
    this.#engine = engine;
    this.#limits = limits;
  }

  get waiting(): number {
    return Math.max(0, this.#open - this.#limits.maxBatch);
  }

  /** @throws ApiError (503) when no more requests may wait or the server is going down */
  checkRoom(): void {
    if (this.#shutdown.signal.aborted) throw shuttingDown();
    if (this.#open < this.#limits.maxBatch + this.#limits.queueCapacity) return;
    throw new ApiError(503, "too many requests are waiting; try again later", {
      code: "overloaded",
    });
  }

  /** Ends all generation, running and waiting, with a 503. */
  abortAll(): void {
    this.#shutdown.abort();
  }

  /**
   * Waits for a place and generates; ends early when the client's signal aborts.
   * @throws ApiError (503) on shutdown or overload, and what the engine throws
   */
  async *generate(
    promptIds: readonly number[],
    settings: GenerationSettings,
    client: AbortSignal,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    this.checkRoom();
    this.#open += 1;
    const signal = AbortSignal.any([client, this.#shutdown.signal]);
    try {
      const result = yield* this.#engine.generate(promptIds, settings, signal);
      if (result.finishReason === "abort" && this.#shutdown.signal.aborted) throw shuttingDown();
      return result;
    } finally {
      this.#open -= 1;
    }
  }
}

function shuttingDown(): ApiError {
  return new ApiError(503, "the server is shutting down", { code: "shutting_down" });
}
