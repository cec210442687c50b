import type { FastifyBaseLogger } from "fastify";
import type { Redis } from "ioredis";
import { batchKind, Batches } from "./batches.ts";
import { FileStore } from "./file-store.ts";
import { JobRuns } from "./job-runs.ts";
import { openRedis } from "./redis-connection.ts";

/** Files and batches in one Redis. */
export class Jobs {
  readonly files: FileStore;
  readonly batches: Batches;
  readonly #runs: JobRuns;
  readonly #redis: Redis;

  private constructor(redis: Redis) {
    this.#redis = redis;
    this.#runs = new JobRuns(redis);
    this.files = new FileStore(redis);
    this.batches = new Batches(this.#runs, this.files);
  }

  /**
   * @param url such as `redis://127.0.0.1:6379`
   * @throws RedisUnavailableError
   */
  static async open(url: string, logger?: FastifyBaseLogger): Promise<Jobs> {
    const jobs = new Jobs(await openRedis(url, logger));
    await jobs.#runs.resume(batchKind);
    return jobs;
  }

  async close(): Promise<void> {
    await this.#runs.close();
    this.#redis.disconnect();
  }
}
