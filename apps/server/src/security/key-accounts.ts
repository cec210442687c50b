import type { StoredKey } from "./api-key.ts";
import type { KeyLimiter } from "./key-limiter.ts";
import type { KeyRing } from "./key-ring.ts";
import type { UsageCounts } from "./key-usage.ts";

/** Milliseconds of a day: a revoked key gets nothing done. */
const forever = 24 * 60 * 60 * 1000;

/** What is done for keys outside of requests to this server. */
export class KeyAccounts {
  readonly #ring: KeyRing;
  readonly #limiter: KeyLimiter;

  constructor(ring: KeyRing, limiter: KeyLimiter) {
    this.#ring = ring;
    this.#limiter = limiter;
  }

  /** All keys, revoked ones included. */
  get keys(): readonly StoredKey[] {
    return this.#ring.all;
  }

  charge(key: StoredKey, { requests, promptTokens, completionTokens }: UsageCounts): void {
    this.#limiter.count(key, requests);
    this.#limiter.charge(key, promptTokens, completionTokens);
  }

  /** Milliseconds until a key's limits of tokens let something be done for it. */
  wait(key: StoredKey): number {
    return key.revoked === undefined ? this.#limiter.wait(key) : forever;
  }
}
