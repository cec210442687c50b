import type { FastifyInstance } from "fastify";
import { callers } from "../security/caller.ts";
import type { BatchItem } from "./batch-input.ts";
import { batchKind } from "./batch-object.ts";
import type { JobData, Run } from "./job-runs.ts";
import { NotYet, startJobWorker, type JobHandler, type JobWorkerOptions } from "./job-worker.ts";
import { KeyUse } from "./key-use.ts";
import { openRedis } from "./redis-connection.ts";

/** Too much asked, or not there for now. */
const passingStatuses = [429, 502, 503, 504];

/** Milliseconds after which a line that waits for its key's limits looks again, at most. */
const longestWait = 2000;

/**
 * Answers the requests of batches by a server that need not listen.
 *
 * @returns a function that completes what is at hand and ends
 * @throws RedisUnavailableError
 */
export async function startBatchWorker(
  app: FastifyInstance,
  options: Omit<JobWorkerOptions, "kind" | "handler">,
): Promise<() => Promise<void>> {
  const redis = await openRedis(options.redisUrl, options.logger, { maxRetriesPerRequest: null });
  try {
    const handler = batchHandler(app, new KeyUse(redis));
    const end = await startJobWorker({ ...options, kind: batchKind, handler });
    return () => end().finally(() => redis.disconnect());
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

function batchHandler(app: FastifyInstance, use: KeyUse): JobHandler {
  return {
    async perform(text, job, run) {
      const { custom_id, url, body } = JSON.parse(text) as BatchItem;
      // A worker's own store of responses is one that nobody can ask.
      const payload = url === "/v1/responses" ? { ...body, store: false } : body;
      // An injected request begins when it is awaited: here, as it must be on a key's behalf.
      const ask = async () => await app.inject({ method: "POST", url, payload });
      const key = run.owner;
      const response = await (key === "" ? ask() : onBehalfOf(key, run, use, ask));
      const { statusCode: status_code } = response;
      if (passingStatuses.includes(status_code)) {
        throw new Error(`the request was answered with status ${status_code}`);
      }
      const id = requestId(job);
      const reply = { status_code, request_id: id, body: response.json<unknown>() };
      const value = { id, custom_id, response: reply, error: null };
      return { status: status_code < 400 ? "completed" : "failed", value };
    },
    abandoned(text, job, message) {
      const { custom_id } = JSON.parse(text) as BatchItem;
      const error = { code: "request_failed", message };
      return { id: requestId(job), custom_id, response: null, error };
    },
  };
}

/**
 * Asks in the name of the key that made a batch, and counts what that used.
 * @throws NotYet while the key is above a limit
 */
async function onBehalfOf<Reply>(
  key: string,
  { total, counts }: Run,
  use: KeyUse,
  ask: () => Promise<Reply>,
): Promise<Reply> {
  const wait = await use.held(key);
  if (wait > 0) {
    // The more lines wait, the further apart they come again.
    const left = total - counts.completed - counts.failed - counts.skipped;
    throw new NotYet(Math.min(wait, longestWait) + Math.random() * 10 * left);
  }
  const used = { requests: 1, promptTokens: 0, completionTokens: 0 };
  const charge = (promptTokens: number, completionTokens: number): void => {
    used.promptTokens += promptTokens;
    used.completionTokens += completionTokens;
  };
  try {
    return await callers.run({ id: key, name: key, charge }, ask);
  } finally {
    await use.add(key, used);
  }
}

function requestId({ run, index }: JobData): string {
  return `${run.replace("batch_", "batch_req_")}_${index}`;
}
