import type { FastifyInstance } from "fastify";
import type { BatchItem } from "./batch-input.ts";
import { batchKind } from "./batches.ts";
import type { JobData } from "./job-runs.ts";
import { startJobWorker, type JobHandler, type JobWorkerOptions } from "./job-worker.ts";

/** Too much asked, or not there for now. */
const passingStatuses = [429, 502, 503, 504];

/**
 * Answers the requests of batches by a server that need not listen.
 *
 * @returns a function that completes what is at hand and ends
 * @throws RedisUnavailableError
 */
export function startBatchWorker(
  app: FastifyInstance,
  options: Omit<JobWorkerOptions, "kind" | "handler">,
): Promise<() => Promise<void>> {
  return startJobWorker({ ...options, kind: batchKind, handler: batchHandler(app) });
}

function batchHandler(app: FastifyInstance): JobHandler {
  return {
    async perform(text, job) {
      const { custom_id, url, body } = JSON.parse(text) as BatchItem;
      const response = await app.inject({ method: "POST", url, payload: body });
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

function requestId({ run, index }: JobData): string {
  return `${run.replace("batch_", "batch_req_")}_${index}`;
}
