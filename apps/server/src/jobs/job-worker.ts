import { DelayedError, Worker, type Job } from "bullmq";
import type { FastifyBaseLogger } from "fastify";
import { JobFiles } from "./job-files.ts";
import { JobRuns, queuePrefix, type JobData, type Outcome, type Run } from "./job-runs.ts";
import { openRedis } from "./redis-connection.ts";

/** What to do with the items of one kind of run. */
export interface JobHandler {
  /**
   * Deals with an item.
   * @param files what the item may name
   * @throws NotYet when it is to wait; anything else when it should be tried again later, some times
   */
  perform(item: string, job: JobData, run: Run, files: JobFiles): Promise<Outcome>;
  /** The value of an item that failed whatever was tried. */
  abandoned(item: string, job: JobData, reason: string): unknown;
}

/** An item is not to be dealt with for some milliseconds; nothing failed. */
export class NotYet extends Error {
  override readonly name = "NotYet";
  readonly milliseconds: number;
  constructor(milliseconds: number) {
    super(`not before ${milliseconds} ms are over`);
    this.milliseconds = milliseconds;
  }
}

export interface JobWorkerOptions {
  redisUrl: string;
  kind: string;
  handler: JobHandler;
  /** Items at once. */
  concurrency: number;
  /** After so many seconds of silence others do again what a worker was at; default 15. */
  stallSeconds?: number | undefined;
  logger?: FastifyBaseLogger | undefined;
  /** A clock, in milliseconds since 1970, that says whether a run's time is up. */
  now?: (() => number) | undefined;
}

/** An item that was at hand when so many workers died is likely why they did. */
const deadlyAttempts = 3;

/**
 * Works on runs of a kind until it is closed.
 *
 * @returns a function that completes what is at hand and ends
 * @throws RedisUnavailableError
 */
export async function startJobWorker(options: JobWorkerOptions): Promise<() => Promise<void>> {
  const { redisUrl, kind, handler, concurrency, stallSeconds = 15, logger, now } = options;
  // BullMQ waits for Redis to come back, however long it takes.
  const redis = await openRedis(redisUrl, logger, { maxRetriesPerRequest: null });
  const runs = new JobRuns(redis, now);
  const close = (): Promise<void> => runs.close().then(() => redis.disconnect());
  try {
    const files = new JobFiles(redis);
    const work = (job: Job<JobData>, token?: string): Promise<void> =>
      perform(job, token, { runs, files, handler });
    const worker = new Worker<JobData>(kind, work, {
      connection: redis,
      prefix: queuePrefix,
      concurrency,
      lockDuration: stallSeconds * 1000,
      stalledInterval: stallSeconds * 500,
      // What is too often is decided here, where it can be told.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    worker.on("error", (error) => logger?.warn({ err: error }, "a worker failed"));
    worker.on("stalled", (job) => logger?.warn({ job }, "a worker died or fell silent"));
    await worker.waitUntilReady();
    return () => worker.close().then(close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function perform(
  job: Job<JobData>,
  token: string | undefined,
  { runs, files, handler }: { runs: JobRuns; files: JobFiles; handler: JobHandler },
): Promise<void> {
  const { run: id, index } = job.data;
  const item = await runs.item(id, index);
  const run = await runs.current(id);
  if (item === undefined || !run) return;
  await runs.record(id, index, run.stopped ? { status: "skipped" } : await outcome());

  async function outcome(): Promise<Outcome> {
    const failed = (reason: string): Outcome => ({
      status: "failed",
      value: handler.abandoned(item!, job.data, reason),
    });
    if (job.stalledCounter >= deadlyAttempts) {
      return failed(`${job.stalledCounter} workers died of it or fell silent`);
    }
    try {
      return await handler.perform(item!, job.data, run!, files);
    } catch (error) {
      if (error instanceof NotYet) {
        await job.moveToDelayed(Date.now() + error.milliseconds, token);
        throw new DelayedError();
      }
      if (job.attemptsMade + 1 < (job.opts.attempts ?? 1)) throw error;
      return failed((error as Error).message);
    }
  }
}
