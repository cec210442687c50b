import { ApiError } from "../api/api-error.ts";
import type { StoredKey } from "./api-key.ts";
import type { UsageBook } from "./key-usage.ts";
import { TokenBucket } from "./token-bucket.ts";

type Unit = "requests" | "tokens";

/** What one key has open and may still use of this minute. */
interface Standing {
  open: number;
  requests: TokenBucket | undefined;
  tokens: TokenBucket | undefined;
}

/**
 * Holds keys to their limits, in this process. Tokens are known only when an answer ends, so an
 * answer that began within the limit is finished, and what it took beyond delays the next.
 */
export class KeyLimiter {
  readonly #usage: UsageBook;
  readonly #standings = new Map<string, Standing>();

  constructor(usage: UsageBook) {
    this.#usage = usage;
  }

  /** @throws ApiError (429) naming the limit that is reached, with when to try again */
  admit(key: StoredKey, now = Date.now()): void {
    const { limits } = key;
    const standing = this.#standing(key, now);
    const { requests } = standing;
    if (limits.concurrentRequests !== undefined && standing.open >= limits.concurrentRequests) {
      throw limitReached("requests", `${limits.concurrentRequests} requests at once`, 1000);
    }
    if (requests !== undefined && requests.left(now) < 1) {
      const limit = `${requests.perMinute} requests a minute`;
      throw limitReached("requests", limit, requests.wait(1, now));
    }
    const [first] = this.#tokenLimits(key, now);
    if (first) throw limitReached("tokens", first.limit, first.wait);
    standing.open += 1;
    requests?.take(1, now);
    this.count(key, 1, now);
  }

  /** Milliseconds until no limit of tokens is reached. */
  wait(key: StoredKey, now = Date.now()): number {
    return Math.max(0, ...this.#tokenLimits(key, now).map(({ wait }) => wait));
  }

  /** Ends what `admit` began. */
  release(key: StoredKey): void {
    const standing = this.#standings.get(key.id);
    if (standing !== undefined) standing.open -= 1;
  }

  /** Counts requests that `admit` did not see, without holding the key to its limits of them. */
  count({ id }: StoredKey, requests: number, now = Date.now()): void {
    this.#usage.add(id, { requests }, new Date(now));
  }

  charge(key: StoredKey, promptTokens: number, completionTokens: number, now = Date.now()): void {
    this.#standing(key, now).tokens?.take(promptTokens + completionTokens, now);
    this.#usage.add(key.id, { promptTokens, completionTokens }, new Date(now));
  }

  /** The limits by the minute and what is left of them, as OpenAI tells them. */
  headers(key: StoredKey, now = Date.now()): Record<string, string> {
    const standing = this.#standing(key, now);
    return { ...headersOf("requests", standing, now), ...headersOf("tokens", standing, now) };
  }

  /** Limits of tokens that are reached, and milliseconds until each is no longer. */
  #tokenLimits(key: StoredKey, now: number): { limit: string; wait: number }[] {
    const { tokens } = this.#standing(key, now);
    const { tokensPerDay = Infinity } = key.limits;
    const { promptTokens, completionTokens } = this.#usage.of(key.id, new Date(now)).today;
    const limits = [];
    if (tokens !== undefined && tokens.left(now) < 1) {
      limits.push({ limit: `${tokens.perMinute} tokens a minute`, wait: tokens.wait(1, now) });
    }
    if (promptTokens + completionTokens >= tokensPerDay) {
      limits.push({ limit: `${tokensPerDay} tokens a day`, wait: day - (now % day) });
    }
    return limits;
  }

  #standing({ id, limits }: StoredKey, now: number): Standing {
    const { requestsPerMinute, tokensPerMinute } = limits;
    const before = this.#standings.get(id);
    const standing = {
      open: before?.open ?? 0,
      requests: bucket(requestsPerMinute, before?.requests, now),
      tokens: bucket(tokensPerMinute, before?.tokens, now),
    };
    if (before !== undefined) return Object.assign(before, standing);
    this.#standings.set(id, standing);
    return standing;
  }
}

/** Milliseconds; days of Unix time begin at midnight in UTC. */
const day = 24 * 60 * 60 * 1000;

/** The bucket that there is, unless the limit was changed. */
function bucket(perMinute: number | undefined, before: TokenBucket | undefined, now: number) {
  if (perMinute === undefined) return undefined;
  return before?.perMinute === perMinute ? before : new TokenBucket(perMinute, now);
}

function limitReached(unit: Unit, limit: string, wait: number): ApiError {
  const seconds = Math.max(1, Math.ceil(wait / 1000));
  const message = `the limit of this key is reached: ${limit}; try again in ${seconds} s`;
  return new ApiError(429, message, {
    code: "rate_limit_exceeded",
    type: unit,
    retryAfter: seconds,
  });
}

function headersOf(unit: Unit, standing: Standing, now: number): Record<string, string> {
  const bucketOfUnit = standing[unit];
  if (bucketOfUnit === undefined) return {};
  const { perMinute } = bucketOfUnit;
  const left = Math.max(0, Math.floor(bucketOfUnit.left(now)));
  return {
    [`x-ratelimit-limit-${unit}`]: `${perMinute}`,
    [`x-ratelimit-remaining-${unit}`]: `${left}`,
    [`x-ratelimit-reset-${unit}`]: duration(bucketOfUnit.wait(perMinute, now)),
  };
}

/** 250 as `250ms`, 1500 as `1.5s`, 61,000 as `1m1s`: as OpenAI writes times. */
function duration(milliseconds: number): string {
  const rounded = Math.ceil(milliseconds);
  if (rounded < 1000) return `${rounded}ms`;
  const minutes = Math.floor(rounded / 60_000);
  return `${minutes > 0 ? `${minutes}m` : ""}${(rounded % 60_000) / 1000}s`;
}
