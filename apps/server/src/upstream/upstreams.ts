import { DelegateBackoff, handleWhen, retry } from "cockatiel";
import { ApiError } from "../api/api-error.ts";
import { shuttingDown } from "../scheduling/shutting-down.ts";
import { failureOfConnection, noUpstream, UpstreamFailure } from "./upstream-failure.ts";
import type { UpstreamReply } from "./upstream-reply.ts";
import { upstreamUrl } from "./upstream-url.ts";
import {
  Upstream,
  type ModelCard,
  type UpstreamRequest,
  type UpstreamSettings,
} from "./upstream.ts";

export interface UpstreamsOptions extends UpstreamSettings {
  /** Addresses of engines, with or without `/v1` at the end. */
  urls: readonly string[];
  /** Milliseconds between two checks of health; default 5000. */
  checkInterval?: number | undefined;
}

/** Tries of a request after the first. */
const retries = 4;
/** Milliseconds: the longest pause before the first retry, doubled for each further one. */
const firstPause = 100;
/** An upstream that asks to wait longer has its answer passed on. */
const longestPause = 5000;

/** 404 in the form that clients know from OpenAI. */
export function unknownModel(asked: string): ApiError {
  const message = `the model "${asked}" does not exist; /v1/models lists those there are`;
  return new ApiError(404, message, { param: "model", code: "model_not_found" });
}

/** Engines that speak OpenAI's API, of which each request goes to the healthy one with least to do. */
export class Upstreams {
  readonly all: readonly Upstream[];
  readonly #shutdown = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #isDraining = false;
  /** Which one is asked first among equals. */
  #turn = 0;

  private constructor({ urls, checkInterval = 5000, ...settings }: UpstreamsOptions) {
    this.all = urls.map((url) => new Upstream(upstreamUrl(url), settings));
    this.#timer = setInterval(() => void this.#checkAll(), checkInterval);
    this.#timer.unref();
  }

  /**
   * Knows the health and the models of all upstreams once it resolves; none has to be up.
   * @throws UpstreamUrlError
   */
  static async start(options: UpstreamsOptions): Promise<Upstreams> {
    const upstreams = new Upstreams(options);
    await upstreams.#checkAll();
    return upstreams;
  }

  get isReady(): boolean {
    return !this.#isDraining && this.all.some((upstream) => upstream.isAvailable);
  }

  /** Models of all upstreams, each once, also of those that are away just now. */
  get models(): ModelCard[] {
    const cards = this.all.flatMap(({ models }) => models);
    return cards.filter(({ id }, i) => cards.findIndex((card) => card.id === id) === i);
  }

  /**
   * Asks until an upstream answers, at most five times.
   * @param model of the request; without one any upstream may answer
   * @throws UpstreamFailure; ApiError (404 for an unknown model, 503 when closing); AbortError
   */
  async send(request: UpstreamRequest, model: string | undefined, client: AbortSignal) {
    if (this.#isDraining) throw shuttingDown();
    if (model !== undefined) this.checkModel(model);
    const signal = AbortSignal.any([client, this.#shutdown.signal]);
    const tried = new Set<Upstream>();
    const pause = ({ facts }: UpstreamFailure, attempt: number): number => {
      const isOtherLeft = this.#candidates(model).some((upstream) => !tried.has(upstream));
      // At random within the whole span, so that clients of a restarted engine come one by one.
      return isOtherLeft ? 0 : (facts.retryAfter ?? Math.random() * firstPause * 2 ** attempt);
    };
    const policy = retry(
      handleWhen(
        (error) =>
          error instanceof UpstreamFailure &&
          error.facts.isRetryable &&
          pause(error, 0) <= longestPause,
      ),
      {
        maxAttempts: retries,
        backoff: new DelegateBackoff(({ result, attempt }) =>
          pause((result as { error: UpstreamFailure }).error, attempt),
        ),
      },
    );
    return policy.execute((): Promise<UpstreamReply> => {
      const upstream = this.#choose(model, tried);
      tried.add(upstream);
      return upstream.send(request, signal);
    }, signal);
  }

  /** @throws ApiError (404) when upstreams are known and none has the model */
  checkModel(model: string): void {
    const { models } = this;
    if (models.length === 0 || models.some(({ id }) => id === model)) return;
    throw unknownModel(model);
  }

  /** An error of asking or reading as the one that clients are told about. */
  asApiError(error: unknown): unknown {
    if (this.isClosing) return shuttingDown();
    const failure = failureOfConnection(error);
    return failure instanceof UpstreamFailure ? failure.apiError : failure;
  }

  #candidates(model: string | undefined): Upstream[] {
    return this.all.filter(
      ({ isAvailable, models }) =>
        isAvailable && (model === undefined || models.some(({ id }) => id === model)),
    );
  }

  /** Those not tried yet first, then the one with the fewest requests, then in turn. */
  #choose(model: string | undefined, tried: ReadonlySet<Upstream>): Upstream {
    const candidates = this.#candidates(model);
    const fresh = candidates.filter((upstream) => !tried.has(upstream));
    const choices = fresh.length > 0 ? fresh : candidates;
    if (choices.length === 0) throw noUpstream();
    const least = Math.min(...choices.map(({ outstanding }) => outstanding));
    const idle = choices.filter(({ outstanding }) => outstanding === least);
    this.#turn += 1;
    return idle[this.#turn % idle.length]!;
  }

  async #checkAll(): Promise<void> {
    await Promise.all(this.all.map((upstream) => upstream.check()));
  }

  get isClosing(): boolean {
    return this.#shutdown.signal.aborted;
  }

  /** Takes no new requests from now on. */
  refuse(): void {
    this.#isDraining = true;
  }

  /** Ends all requests in progress. */
  abortAll(): void {
    this.#shutdown.abort();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.all.map((upstream) => upstream.close()));
  }
}
