import type { Redis } from "ioredis";
import type { UsageCounts } from "../security/key-usage.ts";

/**
 * Between the workers of batches and the servers that know the limits of API keys: what was used on
 * a key's behalf goes one way, for how long its batches are to wait goes the other.
 */
export class KeyUse {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Adds to what a key used. */
  async add(key: string, counts: UsageCounts): Promise<void> {
    const all = this.#redis.multi();
    for (const [name, count] of Object.entries(counts)) all.hincrby(usedKey(key), name, count);
    await all.exec();
  }

  /** What was used since it was last taken; whoever takes it counts it. */
  async take(key: string): Promise<UsageCounts | undefined> {
    const taken = await this.#redis.multi().hgetall(usedKey(key)).del(usedKey(key)).exec();
    const counts = taken?.[0]?.[1] as Record<keyof UsageCounts, string> | undefined;
    if (counts?.requests === undefined) return undefined;
    return {
      requests: Number(counts.requests),
      promptTokens: Number(counts.promptTokens),
      completionTokens: Number(counts.completionTokens),
    };
  }

  /**
   * Says that the batches of a key are to wait.
   * @param lifetime milliseconds after which that is forgotten, if nobody says it again
   */
  async hold(key: string, milliseconds: number, lifetime: number): Promise<void> {
    await this.#redis.set(heldKey(key), Math.ceil(milliseconds), "PX", lifetime);
  }

  /** For how many milliseconds the batches of a key are to wait; 0: not at all. */
  async held(key: string): Promise<number> {
    return Number((await this.#redis.get(heldKey(key))) ?? 0);
  }
}

const usedKey = (key: string): string => `levin:key:${key}:used`;
const heldKey = (key: string): string => `levin:key:${key}:held`;
