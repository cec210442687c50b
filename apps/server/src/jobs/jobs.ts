import type { FastifyBaseLogger } from "fastify";
import type { Redis } from "ioredis";
import { batchKind, Batches } from "./batches.ts";
import { FileStore } from "./file-store.ts";
import { JobRuns, type QueueCounts } from "./job-runs.ts";
import { KeyUse } from "./key-use.ts";
import { openRedis } from "./redis-connection.ts";

/** Files and batches in one Redis. */
export class Jobs {
  readonly files: FileStore;
  readonly batches: Batches;
  readonly keyUse: KeyUse;
  readonly #runs: JobRuns;
  readonly #redis: Redis;

  private constructor(redis: Redis, now: () => number) {
    this.#redis = redis;
    this.#runs = new JobRuns(redis, now);
    this.keyUse = new KeyUse(redis);
    this.files = new FileStore(redis);
    this.batches = new Batches(this.#runs, this.files);
  }

  /**
   * @param url such as `redis://127.0.0.1:6379`
   * @param now a clock, in milliseconds since 1970
   * @throws RedisUnavailableError
   */
  static async open(url: string, logger?: FastifyBaseLogger, now = Date.now): Promise<Jobs> {
    const jobs = new Jobs(await openRedis(url, logger), now);
    await jobs.#runs.resume(batchKind);
    return jobs;
  }

  /** How much there is to do, and was done, of each kind of work. */
  queues(): Promise<QueueCounts[]> {
    return this.#runs.queues();
  }

  async close(): Promise<void> {
    await this.#runs.close();
    this.#redis.disconnect();
  }
}
