import { Readable } from "node:stream";
import multipart from "@fastify/multipart";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ApiError, invalidBody } from "../api/api-error.ts";
import { about, deletionOf, pageOf } from "../api/openapi.ts";
import { ownerId } from "../security/caller.ts";
import { batchEndpoints } from "./batch-input.ts";
import { batchObjectSchema, batchPageSchema } from "./batch-object.ts";
import { fileSchema, type FileObject } from "./file-object.ts";
import type { Jobs } from "./jobs.ts";

/** Room for the fields and marks around a file. */
const formOverhead = 2 ** 20;

const batchSchema = z.strictObject({
  input_file_id: z.string(),
  endpoint: z.enum(batchEndpoints),
  completion_window: z.literal("24h"),
  metadata: z.record(z.string(), z.string()).nullish(),
  output_expires_after: z.unknown().optional(),
});

const listSchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional(),
});

const fileListSchema = z.object({
  limit: z.coerce.number().int().min(1).max(10_000).default(10_000),
  order: z.enum(["asc", "desc"], "expected asc or desc").default("desc"),
  after: z.string().optional(),
  purpose: z.string().optional(),
});

const filePageSchema = pageOf(fileSchema);

const uploadForm = {
  type: "object",
  required: ["purpose", "file"],
  properties: {
    purpose: { const: "batch" },
    file: { type: "string", contentMediaType: "application/octet-stream" },
  },
};

type WithId = { Params: { id: string } };

/**
 * `/v1/files` and `/v1/batches`: long jobs, done by workers that share a Redis with this server.
 * @param fileLimit bytes of the largest file
 */
export function jobRoutes(
  app: FastifyInstance,
  jobs: Jobs | undefined,
  fileLimit = 64 * 2 ** 20,
): void {
  if (!jobs) {
    refuseJobs(app);
    return;
  }
  app.addHook("onClose", () => jobs.close());
  void app.register(async (scope) => {
    await scope.register(multipart, { limits: { files: 1, fileSize: fileLimit, fields: 10 } });
    scope.setErrorHandler((error) => {
      // The parent's handler tells the client.
      throw isRedisError(error) ? redisLost(error) : error;
    });
    fileRoutes(scope, jobs, fileLimit);
    batchRoutes(scope, jobs);
  });
}

function fileRoutes(app: FastifyInstance, { files }: Jobs, fileLimit: number): void {
  const file = { reply: fileSchema };
  const upload = {
    bodyLimit: fileLimit + formOverhead,
    ...about("Uploads a file", { form: uploadForm, ...file }),
  };
  app.post("/v1/files", upload, async (request) => {
    if (!request.isMultipart()) {
      throw new ApiError(415, "expected multipart/form-data with purpose and file");
    }
    const owner = ownerId();
    let purpose: unknown;
    let stored;
    try {
      for await (const part of request.parts()) {
        if (part.type === "field" && part.fieldname === "purpose") purpose = part.value;
        if (part.type !== "file") continue;
        stored = await files.upload(owner, part.filename, part.file);
        if (part.file.truncated) break;
      }
      checkUpload(stored, purpose, fileLimit);
      return stored;
    } catch (error) {
      // Of what is refused nothing is kept.
      if (stored) await files.delete(owner, stored.id);
      throw error;
    }
  });
  const all = about("Files, uploaded and written by batches", {
    query: fileListSchema,
    reply: filePageSchema,
  });
  app.get("/v1/files", all, ({ query }) => files.list(ownerId(), parsed(fileListSchema, query)));
  app.get<WithId>(
    "/v1/files/:id",
    about("A file, without its content", file),
    ({ params: { id } }) => files.get(ownerId(), id),
  );
  app.get<WithId>(
    "/v1/files/:id/content",
    about("A file's content", { reply: "application/jsonl" }),
    async ({ params: { id } }, reply) => {
      const content = await files.content(ownerId(), id);
      return reply.type("application/jsonl").send(Readable.from(content));
    },
  );
  const deletion = about("Deletes a file", { reply: deletionOf("file") });
  app.delete<WithId>("/v1/files/:id", deletion, async ({ params: { id } }) => {
    await files.delete(ownerId(), id);
    return { id, object: "file", deleted: true };
  });
}

/** @throws ApiError (413 for what is too large, else 400) */
function checkUpload(stored: FileObject | undefined, purpose: unknown, fileLimit: number): void {
  if (!stored) throw new ApiError(400, "expected a file, found none", { param: "file" });
  if (stored.bytes >= fileLimit) {
    throw new ApiError(413, `expected a file below ${fileLimit} bytes, found more`, {
      param: "file",
      code: "request_too_large",
    });
  }
  if (purpose !== "batch") {
    throw new ApiError(400, `expected purpose "batch"`, { param: "purpose" });
  }
}

function batchRoutes(app: FastifyInstance, { batches }: Jobs): void {
  const batch = { reply: batchObjectSchema };
  app.post(
    "/v1/batches",
    about("Has the requests of a file answered", { body: batchSchema, ...batch }),
    ({ body }) => {
      const { output_expires_after: _, ...request } = parsed(batchSchema, body);
      return batches.create(ownerId(), request);
    },
  );
  const all = about("All batches, the newest first", { query: listSchema, reply: batchPageSchema });
  app.get("/v1/batches", all, ({ query }) => {
    const { limit, after } = parsed(listSchema, query);
    return batches.list(ownerId(), limit, after);
  });
  app.get<WithId>("/v1/batches/:id", about("A batch as it stands", batch), ({ params: { id } }) =>
    batches.get(ownerId(), id),
  );
  app.post<WithId>(
    "/v1/batches/:id/cancel",
    about("Cancels a batch", batch),
    ({ params: { id } }) => batches.cancel(ownerId(), id),
  );
}

function refuseJobs(app: FastifyInstance): void {
  const message = "files and batches need Redis: start the server with --redis URL";
  for (const url of ["/v1/files", "/v1/files/*", "/v1/batches", "/v1/batches/*"]) {
    app.route({
      method: ["GET", "POST", "DELETE"],
      url,
      // Before a body is read: its media type would be refused first.
      onRequest: (_request, _reply, done) =>
        done(new ApiError(501, message, { code: "batches_unavailable" })),
      handler: () => {},
    });
  }
}

function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalidBody(result.error);
  return result.data;
}

/** A Redis that is full, being loaded, can't write to its disk, or has lost its place as the first. */
const states = /^(OOM|EXECABORT|LOADING|MISCONF|READONLY|MASTERDOWN) /;

function isRedisError(error: unknown): boolean {
  const { name, message } = error as Error;
  if (name === "ReplyError") return states.test(message);
  return /Redis|MaxRetries/.test(name) || message === "Connection is closed.";
}

function redisLost(cause: unknown): ApiError {
  const error = new ApiError(503, "files and batches are not available now; try again later", {
    code: "batches_unavailable",
  });
  return Object.assign(error, { cause });
}
