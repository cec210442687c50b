import type { FastifyBaseLogger } from "fastify";
import type { Redis } from "ioredis";
import { batchKind } from "./batch-object.ts";
import { Batches } from "./batches.ts";
import { defaultFileLimits, type FileLimits } from "./file-limits.ts";
import { FileStore } from "./file-store.ts";
import { Files } from "./files.ts";
import { JobRuns, type QueueCounts } from "./job-runs.ts";
import { KeyUse } from "./key-use.ts";
import { OutputFiles } from "./output-files.ts";
import { openRedis } from "./redis-connection.ts";

export interface JobsOptions {
  logger?: FastifyBaseLogger | undefined;
  /** How many files a key may have, and how large. */
  limits?: Partial<FileLimits> | undefined;
  /** A clock, in milliseconds since 1970. */
  now?: (() => number) | undefined;
}

/** Files and batches in one Redis. */
export class Jobs {
  readonly files: Files;
  readonly batches: Batches;
  readonly keyUse: KeyUse;
  readonly #runs: JobRuns;
  readonly #redis: Redis;

  private constructor(redis: Redis, { now, limits }: JobsOptions) {
    this.#redis = redis;
    this.#runs = new JobRuns(redis, now);
    this.keyUse = new KeyUse(redis);
    const outputs = new OutputFiles(this.#runs);
    this.files = new Files(new FileStore(redis), outputs, { ...defaultFileLimits, ...limits });
    this.batches = new Batches(this.#runs, this.files);
  }

  /**
   * @param url such as `redis://127.0.0.1:6379`
   * @throws RedisUnavailableError
   */
  static async open(url: string, options: JobsOptions = {}): Promise<Jobs> {
    const jobs = new Jobs(await openRedis(url, options.logger), options);
    try {
      await jobs.#runs.resume(batchKind);
      return jobs;
    } catch (error) {
      await jobs.close();
      throw error;
    }
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
