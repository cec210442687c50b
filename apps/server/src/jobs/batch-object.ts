import { z } from "zod";
import { listOf, pageOf } from "../api/openapi.ts";
import type { LineError } from "./batch-input.ts";
import type { Run } from "./job-runs.ts";
import { seconds } from "../api/seconds.ts";

export interface BatchRequest {
  input_file_id: string;
  endpoint: string;
  completion_window: string;
  metadata?: Record<string, string> | null | undefined;
}

/** The kind of run that a batch is. */
export const batchKind = "batch";

/** What a run that is a batch knows of it. */
export type BatchDetails = BatchRequest & { errors?: LineError[] };

/** OpenAI's only completion window, in milliseconds. */
export const completionWindow = 24 * 3600 * 1000;

/** The files that a batch writes, by the outcomes they hold. */
export const outputs = { output: "completed", errors: "failed" } as const;

const time = z.int().nullable();
const lineErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  /** From 1 on. */
  line: z.int(),
});
const count = z.int().min(0);

/** A batch in OpenAI's form; times in seconds since 1970. */
export const batchObjectSchema = z
  .object({
    id: z.string(),
    object: z.literal("batch"),
    input_file_id: z.string(),
    endpoint: z.string(),
    completion_window: z.string(),
    errors: listOf(lineErrorSchema).nullable(),
    status: z.enum(["failed", "in_progress", "cancelling", "cancelled", "expired", "completed"]),
    output_file_id: z.string().nullable(),
    error_file_id: z.string().nullable(),
    created_at: z.int(),
    in_progress_at: time,
    expires_at: z.int(),
    finalizing_at: time,
    completed_at: time,
    failed_at: time,
    expired_at: time,
    cancelling_at: time,
    cancelled_at: time,
    request_counts: z.object({ total: count, completed: count, failed: count }),
    metadata: z.record(z.string(), z.string()).nullable(),
  })
  .meta({ id: "Batch" });

export const batchPageSchema = pageOf(batchObjectSchema);

type BatchObject = z.output<typeof batchObjectSchema>;

/** A run that is a batch, as clients see it. */
export function batchObject(run: Run): BatchObject {
  const { id, total, counts, createdAt, finishedAt, stopped } = run;
  const { errors, metadata, ...request } = run.details as unknown as BatchDetails;
  const status = statusOf(run);
  const ended = (state: BatchObject["status"]) => (status === state ? seconds(finishedAt!) : null);
  const file = (name: keyof typeof outputs) =>
    finishedAt !== undefined && counts[outputs[name]] > 0 ? `file-${id}-${name}` : null;
  return {
    id,
    object: "batch",
    ...request,
    errors: errors ? { object: "list", data: errors } : null,
    status,
    output_file_id: file("output"),
    error_file_id: file("errors"),
    created_at: seconds(createdAt),
    in_progress_at: errors ? null : seconds(createdAt),
    expires_at: seconds(run.expiresAt ?? createdAt + completionWindow),
    finalizing_at: ended("completed"),
    completed_at: ended("completed"),
    failed_at: ended("failed"),
    expired_at: ended("expired"),
    cancelling_at: stopped?.reason === "cancelled" ? seconds(stopped.at) : null,
    cancelled_at: ended("cancelled"),
    request_counts: { total, completed: counts.completed, failed: counts.failed },
    metadata: metadata ?? null,
  };
}

function statusOf({ details, finishedAt, stopped }: Run): BatchObject["status"] {
  if ("errors" in details) return "failed";
  if (finishedAt === undefined)
    return stopped?.reason === "cancelled" ? "cancelling" : "in_progress";
  return stopped?.reason ?? "completed";
}
