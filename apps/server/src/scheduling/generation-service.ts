import type { GenerationResult, TokenEvent } from "@levin/model";
import type { FastifyBaseLogger } from "fastify";
import { ApiError } from "../api/api-error.ts";
import { streamSteps } from "../api/stream-steps.ts";
import {
  modelNotLoaded,
  type Engine,
  type GenerationSettings,
  type OnPrefill,
} from "../engine/engine.ts";
import type { ServiceMetrics } from "../observability/service-metrics.ts";
import type { ServedModel } from "../served-model.ts";
import { FairQueue } from "./fair-queue.ts";
import { PlaceTime } from "./place-time.ts";
import { Run } from "./run.ts";
import { shuttingDown } from "./shutting-down.ts";

/** How much is served at once. */
export interface ServiceLimits {
  /** Answers that run together, in one decoding step. */
  maxBatch: number;
  /** Requests that may wait for a place among them. */
  queueCapacity: number;
  /** Prompt tokens of those that wait. */
  queueTokens: number;
  /** Milliseconds from a request's arrival to the end of its answer; default: no limit. */
  requestTimeout?: number | undefined;
}

/** Who asks; a Fastify request is one. */
export interface Caller {
  /** Whose turn it is: an API key, or an address. Requests without one share a turn. */
  client?: string;
  log?: Pick<FastifyBaseLogger, "info">;
}

/** Shares an engine among the requests of many clients, until it is shut down. */
export class GenerationService {
  readonly served: ServedModel;
  readonly #engine: Engine;
  readonly #limits: ServiceLimits;
  readonly #metrics: ServiceMetrics;
  readonly #queue: FairQueue;
  readonly #placeTime = new PlaceTime();
  /** Requests that run or wait. */
  readonly #runs = new Set<Run>();
  #isDraining = false;

  constructor(served: ServedModel, engine: Engine, limits: ServiceLimits, metrics: ServiceMetrics) {
    this.served = served;
    this.#engine = engine;
    this.#limits = limits;
    this.#metrics = metrics;
    this.#queue = new FairQueue({
      places: limits.maxBatch,
      capacity: limits.queueCapacity,
      tokens: limits.queueTokens,
    });
    metrics.observe(this.#queue, engine);
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  /** What a request sent now would find. */
  get status(): "ready" | "model not loaded" | "shutting down" {
    if (this.#isDraining) return "shutting down";
    return this.#engine.isReady ? "ready" : "model not loaded";
  }

  /**
   * @param coming how many answers are asked for, and the tokens of their prompts
   * @throws ApiError: 429 when no more requests may wait, 503 when the model is not loaded or
   *   the server is going down
   */
  checkRoom(
    { client = "" }: Caller = {},
    coming: { tokens?: number; requests?: number } = {},
  ): void {
    const retryAfter = this.#placeTime.untilFree(this.#limits.maxBatch);
    if (this.#isDraining) throw shuttingDown();
    if (!this.#engine.isReady) throw modelNotLoaded();
    if (this.#queue.hasRoom(client, coming)) return;
    this.#metrics.refused();
    throw new ApiError(429, "too many requests are waiting; try again later", {
      code: "overloaded",
      retryAfter,
    });
  }

  /**
   * Waits for a place and generates; ends early when the client's signal aborts, or with what is
   * there when time is up.
   *
   * @throws ApiError: as `checkRoom`, 503 on shutdown, 504 when time is up before the first token;
   *   what the engine throws
   */
  async *generate(
    promptIds: readonly number[],
    settings: GenerationSettings,
    clientSignal: AbortSignal,
    caller: Caller = {},
    onPrefill?: OnPrefill,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    const record = this.#metrics.generation(caller.log);
    const run = this.#begin(promptIds.length, clientSignal, caller);
    try {
      const place = await this.#enter(run, promptIds.length, caller);
      record.admitted();
      try {
        const events = this.#engine.generate(promptIds, settings, run.signal, onPrefill);
        for await (const step of streamSteps(events)) {
          if (step.result !== undefined) {
            checkEnd(step.result, run);
            record.ended(step.result, run.cause);
            return step.result;
          }
          record.token();
          yield step.item;
          record.taken();
        }
        throw new Error("expected a result at the end of the tokens, found none");
      } finally {
        place.leave();
      }
    } catch (error) {
      record.failed(run.cause);
      throw error;
    } finally {
      record.left();
      this.#end(run);
    }
  }

  /**
   * Embeddings of texts, given as token ids; takes a place as a generation does.
   * @throws as `generate`
   */
  async embed(
    texts: readonly (readonly number[])[],
    clientSignal: AbortSignal,
    caller: Caller = {},
  ): Promise<Float32Array[]> {
    const tokens = texts.reduce((sum, ids) => sum + ids.length, 0);
    const run = this.#begin(tokens, clientSignal, caller);
    try {
      const place = await this.#enter(run, tokens, caller);
      try {
        const vectors = await this.#engine.embed(texts);
        this.#metrics.embedded(tokens);
        return vectors;
      } finally {
        place.leave();
      }
    } finally {
      this.#end(run);
    }
  }

  /** Takes no new requests from now on. */
  refuse(): void {
    this.#isDraining = true;
  }

  /** Ends all requests, running and waiting, with a 503. */
  abortAll(): void {
    this.refuse();
    for (const run of this.#runs) run.end("shutdown");
  }

  #begin(tokens: number, clientSignal: AbortSignal, caller: Caller): Run {
    this.checkRoom(caller, { tokens });
    const run = new Run(clientSignal, this.#limits.requestTimeout);
    this.#runs.add(run);
    return run;
  }

  /** @throws ApiError, or an AbortError when the client left */
  async #enter(run: Run, tokens: number, { client = "" }: Caller): Promise<{ leave: () => void }> {
    const place = await this.#queue.enter(client, tokens, run.signal);
    if (!place) throw endError(run);
    const entered = performance.now();
    let isIn = true;
    const leave = (): void => {
      if (!isIn) return;
      isIn = false;
      this.#placeTime.add((performance.now() - entered) / 1000);
      place.leave();
    };
    // Nobody may come to read the end of what was ended.
    run.signal.addEventListener("abort", leave, { once: true });
    return { leave };
  }

  #end(run: Run): void {
    run.dispose();
    this.#runs.delete(run);
  }
}

/** @throws ApiError when an answer was ended that should not be taken for one */
function checkEnd({ finishReason, usage }: GenerationResult, run: Run): void {
  if (finishReason !== "abort" || run.cause === "client") return;
  if (run.cause === "timeout" && usage.completionTokens > 0) return;
  throw endError(run);
}

function endError({ cause, signal }: Run): unknown {
  if (cause === "shutdown") return shuttingDown();
  if (cause === "timeout") {
    return new ApiError(504, "the time for this request was up before its first token", {
      code: "timeout",
    });
  }
  return signal.reason;
}
