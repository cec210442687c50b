import { engineLimits } from "../engine/engine.ts";
import {
  closeOnSignals,
  newServer,
  untilLoaded,
  whatAnswers,
  type AnswerOptions,
} from "../start-server.ts";
import { startBatchWorker } from "./batch-worker.ts";
import { startJobWorker, type JobHandler } from "./job-worker.ts";

/** Long work of another kind than batches, an item at a time. */
export interface OtherWork {
  kind: string;
  handler: JobHandler;
  close(): Promise<void>;
}

export interface StartWorkerOptions extends AnswerOptions {
  /** Where the servers keep their batches. */
  redis: string;
  /** After so many seconds of silence others do again what this worker was at; default 15. */
  stallSeconds?: number | undefined;
  /** What the worker does beside batches. */
  others?: readonly OtherWork[] | undefined;
}

/**
 * Works on batches with a model or by upstreams, and on what else it is given, until SIGINT or
 * SIGTERM: then it completes what is at hand. Any number of workers, on any machine, may share a Redis.
 *
 * @throws RedisUnavailableError, UpstreamUrlError, and what `loadServedModel` throws
 */
export async function startWorker(options: StartWorkerOptions): Promise<void> {
  const { redis: redisUrl, stallSeconds, logger, others = [] } = options;
  const limits = engineLimits(options);
  const answering = await whatAnswers(options, limits);
  const app = await newServer({ ...answering, ...limits, ...(logger && { logger }) });
  const ends: (() => Promise<unknown>)[] = [];
  const close = (): Promise<void> => Promise.all(ends.map((end) => end())).then(() => app.close());
  try {
    await app.ready();
    await untilLoaded(answering);
    const concurrency = limits.maxBatch;
    const common = { redisUrl, stallSeconds, logger };
    ends.push(await startBatchWorker(app, { ...common, concurrency }));
    for (const other of others) {
      const end = await startJobWorker({ ...common, ...other, concurrency: 1 });
      ends.push(() => end().then(() => other.close()));
    }
    closeOnSignals({ close });
    console.log("levin: a worker is ready");
  } catch (error) {
    await close();
    throw error;
  }
}
