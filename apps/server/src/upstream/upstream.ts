import type { Readable } from "node:stream";
import type { FastifyBaseLogger } from "fastify";
import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleType,
  type CircuitBreakerPolicy,
} from "cockatiel";
import { Pool } from "undici";
import { z } from "zod";
import { ApiError } from "../api/api-error.ts";
import { failureOfConnection, failureOfReply, UpstreamFailure } from "./upstream-failure.ts";
import { readReply, requestHeaders, type UpstreamReply } from "./upstream-reply.ts";

/** Milliseconds that parts of a request may take. */
export interface UpstreamTimeouts {
  connect: number;
  /** Until the reply begins: an answer that is not streamed begins when it is complete. */
  reply: number;
  /** Between two pieces of a reply. */
  silence: number;
  healthCheck: number;
}

const defaultTimeouts: UpstreamTimeouts = {
  connect: 5000,
  reply: 600_000,
  silence: 300_000,
  healthCheck: 5000,
};

export interface UpstreamSettings {
  /** Sent as a bearer token. */
  key?: string | undefined;
  timeouts?: Partial<UpstreamTimeouts> | undefined;
  logger?: FastifyBaseLogger | undefined;
}

export interface UpstreamRequest {
  /** Such as `/v1/chat/completions`. */
  path: string;
  body: string;
  /** Of the client; only harmless ones are passed on. */
  headers: NodeJS.Dict<string | string[]>;
}

/** What came of a request: a whole reply, 429 or 503, no reply, half a stream, or its client left. */
type UpstreamOutcome = "answered" | "busy" | "failed" | "broken_off" | "left";

/** Told of requests. */
export interface UpstreamObserver {
  /** The reply has begun; one that is no stream is complete. */
  replied(seconds: number): void;
  /** Once for each request. */
  ended(outcome: UpstreamOutcome): void;
}

/** A model as an engine's `/v1/models` describes it. */
export type ModelCard = { id: string } & Record<string, unknown>;

const modelList = z.object({ data: z.array(z.looseObject({ id: z.string() })) });

/**
 * Failures in a row that open the circuit, more than one request can have with all its retries, and
 * how long it stays open: longer each time.
 */
const failuresToOpen = 10;
const openMilliseconds = { initialDelay: 1000, maxDelay: 30_000 };

/** One engine that speaks OpenAI's API, with what is known of its health. */
export class Upstream {
  readonly url: string;
  /** Requests without a complete reply. */
  outstanding = 0;
  models: ModelCard[] = [];
  readonly #pool: Pool;
  readonly #prefix: string;
  readonly #key: string | undefined;
  readonly #timeouts: UpstreamTimeouts;
  readonly #logger: FastifyBaseLogger | undefined;
  readonly #breaker: CircuitBreakerPolicy;
  #observer: UpstreamObserver | undefined;
  #isHealthy = false;
  #checking: Promise<void> | undefined;

  /** @param url as `upstreamUrl` gives it */
  constructor(url: URL, { key, timeouts, logger }: UpstreamSettings) {
    this.url = url.href;
    this.#prefix = url.pathname.replace(/\/$/, "");
    this.#key = key;
    this.#logger = logger;
    this.#timeouts = { ...defaultTimeouts, ...timeouts };
    const { connect, reply, silence } = this.#timeouts;
    this.#pool = new Pool(url.origin, {
      connect: { timeout: connect },
      headersTimeout: reply,
      bodyTimeout: silence,
    });
    this.#breaker = circuitBreaker(
      handleType(UpstreamFailure, ({ facts }) => facts.isSick),
      {
        halfOpenAfter: new ExponentialBackoff(openMilliseconds),
        breaker: new ConsecutiveBreaker(failuresToOpen),
      },
    );
    this.#breaker.onBreak(() => logger?.warn({ upstream: this.url }, "circuit opened"));
    this.#breaker.onReset(() => logger?.warn({ upstream: this.url }, "circuit closed"));
  }

  /** Whether requests may be sent: it answered its last check, and few of them failed. */
  get isAvailable(): boolean {
    return this.#isHealthy && !this.isCircuitOpen;
  }

  /** Whether it failed too often in a row to be asked now. */
  get isCircuitOpen(): boolean {
    return this.#breaker.state !== CircuitState.Closed;
  }

  /** Tells of all further requests. */
  observe(observer: UpstreamObserver): void {
    this.#observer = observer;
  }

  /** For people and monitors. */
  get status(): "available" | "unhealthy" | "circuit open" {
    if (!this.#isHealthy) return "unhealthy";
    return this.isAvailable ? "available" : "circuit open";
  }

  /**
   * Asks once. A stream that breaks off later destroys `body` with an UpstreamFailure.
   * @throws UpstreamFailure; AbortError when the signal aborts
   */
  async send(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamReply> {
    this.outstanding += 1;
    const began = performance.now();
    let isStreaming = false;
    try {
      const reply = await this.#breaker.execute(() => this.#ask(request, signal));
      this.#observer?.replied((performance.now() - began) / 1000);
      isStreaming = !Buffer.isBuffer(reply.body);
      if (Buffer.isBuffer(reply.body)) this.#observer?.ended("answered");
      else this.#follow(reply.body);
      return reply;
    } catch (error) {
      this.#observer?.ended(outcomeOf(error));
      if (error instanceof UpstreamFailure && error.facts.isSick) void this.check();
      throw error;
    } finally {
      if (!isStreaming) this.outstanding -= 1;
    }
  }

  async #ask({ path, body, headers }: UpstreamRequest, signal: AbortSignal) {
    let reply: UpstreamReply;
    try {
      const response = await this.#pool.request({
        method: "POST",
        path: this.#prefix + path,
        headers: requestHeaders(headers, this.#key),
        body,
        signal,
      });
      reply = await readReply(response);
    } catch (error) {
      throw failureOfConnection(error);
    }
    const failure = failureOfReply(reply);
    if (failure) throw failure;
    return reply;
  }

  #follow(stream: Readable): void {
    let error: unknown;
    stream.once("error", (reason) => {
      error = failureOfConnection(reason);
      this.#judge(error);
    });
    stream.once("close", () => {
      this.outstanding -= 1;
      const isBroken = error instanceof UpstreamFailure;
      const isWhole = error === undefined && stream.readableEnded;
      this.#observer?.ended(isBroken ? "broken_off" : isWhole ? "answered" : "left");
    });
  }

  /** A stream that broke off counts like a request that failed. */
  #judge(error: unknown): void {
    if (!(error instanceof UpstreamFailure)) return;
    this.#breaker.execute(() => Promise.reject(error)).catch(() => {});
    void this.check();
  }

  /** Asks for its health and its models; also what tries a broken circuit again. Never throws. */
  async check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  async #check(): Promise<void> {
    const probe = (): Promise<void> => this.#probe();
    const wasHealthy = this.#isHealthy;
    try {
      // While all is well a check must not hide that requests fail.
      const isClosed = this.#breaker.state === CircuitState.Closed;
      await (isClosed ? probe() : this.#breaker.execute(probe));
      this.#isHealthy = true;
    } catch (error) {
      this.#isHealthy = this.#isHealthy && !(error instanceof UpstreamFailure);
      if (wasHealthy && !this.#isHealthy) {
        this.#logger?.warn({ upstream: this.url, err: error }, "upstream is unhealthy");
      }
    }
    if (!wasHealthy && this.#isHealthy) {
      this.#logger?.info({ upstream: this.url }, "upstream is healthy");
    }
  }

  async #probe(): Promise<void> {
    // Engines without /health are judged by their list of models alone.
    const health = await this.#get("/health");
    if (health.status >= 500) throw unhealthy(health.status);
    const { status, body } = await this.#get("/v1/models");
    const list = status === 200 ? modelList.safeParse(parseJson(body)) : undefined;
    if (!list?.success) throw unhealthy(status);
    this.models = list.data.data;
  }

  async #get(path: string): Promise<{ status: number; body: string }> {
    try {
      const response = await this.#pool.request({
        method: "GET",
        path: this.#prefix + path,
        headers: requestHeaders({}, this.#key),
        signal: AbortSignal.timeout(this.#timeouts.healthCheck),
      });
      return { status: response.statusCode, body: await response.body.text() };
    } catch (error) {
      throw unhealthy("no answer", error);
    }
  }

  /** Ends all connections; requests in progress fail. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

function outcomeOf(error: unknown): UpstreamOutcome {
  if (error instanceof Error && error.name === "AbortError") return "left";
  return error instanceof UpstreamFailure && !error.facts.isSick ? "busy" : "failed";
}

function unhealthy(found: number | string, cause?: unknown): UpstreamFailure {
  const message = `expected a healthy upstream that lists its models, found: ${found}`;
  const apiError = new ApiError(502, message, { code: "upstream_unreachable" });
  return new UpstreamFailure(apiError, { isRetryable: true, isSick: true }, cause);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
