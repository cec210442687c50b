import type { GenerationResult } from "@levin/model";
import type { FastifyBaseLogger } from "fastify";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Engine, EngineStats } from "../engine/engine.ts";
import type { FairQueue } from "../scheduling/fair-queue.ts";
import { countedHistogram } from "./counted-histogram.ts";
import { patientReader } from "./patient-reader.ts";
import type { EndCause } from "../scheduling/run.ts";

const tokenSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const waitSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const batchSizes = [1, 2, 4, 8, 16, 32, 64];
const answerSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** What is counted of generation, from the queue to the last token. */
export class ServiceMetrics {
  readonly #registry: Registry;
  readonly #queueWait;
  readonly #firstToken;
  readonly #nextToken;
  readonly #duration;
  readonly #tokens;
  readonly #prefixes;
  readonly #refused;

  constructor(registry: Registry) {
    this.#registry = registry;
    const histogram = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name, help, buckets, registers: [registry] });
    this.#queueWait = histogram(
      "levin_queue_wait_seconds",
      "Seconds that requests waited for a place.",
      waitSeconds,
    );
    this.#firstToken = histogram(
      "levin_time_to_first_token_seconds",
      "Seconds from a request to the first token of its answer.",
      waitSeconds,
    );
    this.#nextToken = histogram(
      "levin_inter_token_seconds",
      "Seconds that an answer waited for each further token.",
      tokenSeconds,
    );
    this.#duration = new Histogram({
      name: "levin_generation_duration_seconds",
      help: "Seconds from a request to the end of its answer, by why it ended.",
      labelNames: ["finish_reason"],
      buckets: answerSeconds,
      registers: [registry],
    });
    this.#tokens = new Counter({
      name: "levin_tokens_total",
      help: "Tokens: of prompts and embedded texts (those of them whose state was kept: cached), generated (those of thoughts: reasoning).",
      labelNames: ["kind"],
      registers: [registry],
    });
    this.#prefixes = new Counter({
      name: "levin_prefix_cache_requests_total",
      help: "Answered requests, by whether a beginning of their prompt was kept.",
      labelNames: ["result"],
      registers: [registry],
    });
    this.#refused = new Counter({
      name: "levin_refused_requests_total",
      help: "Requests refused with 429 because too many were waiting.",
      registers: [registry],
    });
  }

  /** Reads a queue and an engine whenever metrics are asked for. */
  observe(queue: FairQueue, engine: Engine): void {
    const gauge = (name: string, help: string, read: () => number | Promise<number>): void => {
      this.#registry.registerMetric(
        new Gauge({
          name,
          help,
          registers: [],
          async collect() {
            this.set(await read());
          },
        }),
      );
    };
    gauge("levin_queue_requests", "Requests that wait for a place.", () => queue.waiting);
    gauge("levin_queue_tokens", "Prompt tokens of those that wait.", () => queue.waitingTokens);
    gauge("levin_requests_running", "Requests that have a place.", () => queue.running);
    gauge("levin_model_ready", "1 while the model is loaded.", () => Number(engine.isReady));
    const stats = patientReader(() => engine.stats(), nothing);
    this.#registry.registerMetric(
      countedHistogram(
        {
          name: "levin_batch_size",
          help: "Answers that a decoding step moved on by a token.",
          buckets: batchSizes,
        },
        async () => (await stats()).stepCounts,
      ),
    );
    gauge("levin_prefix_cache_bytes", "Bytes of the states of earlier prompts.", async () => {
      return (await stats()).prefixCacheBytes;
    });
    gauge("levin_state_bytes", "Bytes of all states, of running answers too.", async () => {
      return (await stats()).stateBytes;
    });
  }

  /** A request was refused because too many wait. */
  refused(): void {
    this.#refused.inc();
  }

  /** Texts were embedded. */
  embedded(tokens: number): void {
    this.#tokens.inc({ kind: "prompt" }, tokens);
  }

  /** Follows a request from its arrival. */
  generation(log?: Pick<FastifyBaseLogger, "info">): GenerationRecord {
    return new GenerationRecord({
      waited: (seconds) => this.#queueWait.observe(seconds),
      firstToken: (seconds) => this.#firstToken.observe(seconds),
      nextToken: (seconds) => this.#nextToken.observe(seconds),
      ended: (reason, times, usage) => {
        this.#duration.observe({ finish_reason: reason }, times.duration);
        if (usage) this.#count(usage);
        log?.info({ finishReason: reason, ...times, ...usage }, "generation ended");
      },
    });
  }

  #count(usage: GenerationResult["usage"]): void {
    this.#tokens.inc({ kind: "prompt" }, usage.promptTokens);
    this.#tokens.inc({ kind: "cached" }, usage.cachedTokens);
    this.#tokens.inc({ kind: "generated" }, usage.completionTokens);
    this.#tokens.inc({ kind: "reasoning" }, usage.reasoningTokens);
    this.#prefixes.inc({ result: usage.cachedTokens > 0 ? "hit" : "miss" });
  }
}

/** What a lost model held is gone. */
const nothing: EngineStats = { prefixCacheBytes: 0, stateBytes: 0, tensors: 0, stepCounts: [] };

/** Seconds of a request's way. */
interface Times {
  wait?: number;
  firstToken?: number;
  duration: number;
}

interface Observer {
  waited(seconds: number): void;
  firstToken(seconds: number): void;
  nextToken(seconds: number): void;
  ended(reason: string, times: Times, usage: GenerationResult["usage"] | undefined): void;
}

/** The times of one request. */
class GenerationRecord {
  readonly #observer: Observer;
  readonly #arrived = performance.now();
  readonly #times: Times = { duration: 0 };
  /** When the answer last began to wait for a token. */
  #asked = 0;
  #isEnded = false;

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  admitted(): void {
    this.#times.wait = this.#elapsed();
    this.#observer.waited(this.#times.wait);
  }

  token(): void {
    if (this.#times.firstToken !== undefined) {
      this.#observer.nextToken((performance.now() - this.#asked) / 1000);
      return;
    }
    this.#times.firstToken = this.#elapsed();
    this.#observer.firstToken(this.#times.firstToken);
  }

  /** The token was taken: the time until then is the client's. */
  taken(): void {
    this.#asked = performance.now();
  }

  ended({ finishReason, usage }: GenerationResult, cause: EndCause | undefined): void {
    this.#end(finishReason === "abort" ? (cause ?? "abort") : finishReason, usage);
  }

  failed(cause: EndCause | undefined): void {
    this.#end(cause ?? "error");
  }

  /** Nobody reads on; the last to be told. */
  left(): void {
    this.#end("client");
  }

  #end(reason: string, usage?: GenerationResult["usage"]): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#times.duration = this.#elapsed();
    this.#observer.ended(reason, this.#times, usage);
  }

  #elapsed(): number {
    return (performance.now() - this.#arrived) / 1000;
  }
}
