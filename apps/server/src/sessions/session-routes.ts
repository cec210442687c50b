import type { FastifyInstance, FastifyReply } from "fastify";
import type { z } from "zod";
import { exportSession, forkSession, importSession } from "./session-copies.ts";
import { fileSchema, parseFile } from "./session-file.ts";
import { listForm, sessionForm, wholeSessionForm } from "./session-forms.ts";
import {
  createSchema,
  forkSchema,
  parseCreate,
  parseFork,
  parseList,
  parseUpdate,
  updateSchema,
} from "./session-requests.ts";
import type { Sessions } from "./sessions.ts";

/** Bytes of the largest file that is imported: states of softmax layers grow with a session. */
const importLimit = 256 * 2 ** 20;

interface OfSession {
  Params: { id: string };
}

/**
 * `/v1/sessions` and what is below it.
 *
 * @param owner whose sessions a request may see; empty without API keys
 */
export function sessionRoutes(
  app: FastifyInstance,
  opened: () => Promise<Sessions>,
  owner: () => string,
): void {
  app.post("/v1/sessions", about("Begins a session", createSchema), async (request) => {
    const { title = null, metadata, system } = parseCreate(request.body);
    const sessions = await opened();
    const model = await sessions.model();
    const session = { title, metadata: metadata ?? {}, tools: null, ...model };
    const message = { role: "system" as const, content: system ?? "" };
    const messages = system == null ? [] : [{ message, tokens: null, createdAt: Date.now() }];
    return sessionForm(await sessions.store.create(owner(), session, messages));
  });

  app.get("/v1/sessions", about("Sessions, the newest change first"), async (request) => {
    const { store } = await opened();
    const { sessions, hasMore } = await store.list(owner(), parseList(request.query));
    return listForm(sessions, hasMore);
  });

  app.get<OfSession>(
    "/v1/sessions/:id",
    about("A session and its messages"),
    async ({ params }) => {
      const { store } = await opened();
      const session = await store.find(owner(), params.id);
      return wholeSessionForm(session, await store.messages(session), await store.states(session));
    },
  );

  app.patch<OfSession>(
    "/v1/sessions/:id",
    about("Changes title or metadata", updateSchema),
    async ({ params, body }) => {
      const { store } = await opened();
      return sessionForm(await store.update(owner(), params.id, parseUpdate(body)));
    },
  );

  app.delete<OfSession>(
    "/v1/sessions/:id",
    about("Deletes a session"),
    async ({ params: { id } }) => {
      const sessions = await opened();
      await sessions.exclusively(owner(), id, () => sessions.store.delete(owner(), id));
      return { id, object: "session.deleted", deleted: true };
    },
  );

  app.post<OfSession>(
    "/v1/sessions/:id/fork",
    about("Copies a session up to a message", forkSchema),
    async ({ params, body }) =>
      sessionForm(await forkSession(await opened(), owner(), params.id, parseFork(body))),
  );

  app.get<OfSession>(
    "/v1/sessions/:id/export",
    about("A session as a file"),
    async ({ params: { id } }, reply) => {
      const file = await exportSession(await opened(), owner(), id);
      return asDownload(reply, `${id}.json`).send(file);
    },
  );

  app.post(
    "/v1/sessions/import",
    { bodyLimit: importLimit, ...about("A session of a file", fileSchema) },
    async ({ body }) => {
      const file = parseFile(body);
      const { session, imported } = await importSession(await opened(), owner(), file);
      return { ...sessionForm(session), imported };
    },
  );
}

/** What the OpenAPI document says of a route. */
function about(summary: string, body?: z.ZodType) {
  return { config: { api: { summary, ...(body && { body }) } } };
}

function asDownload(reply: FastifyReply, name: string): FastifyReply {
  return reply.header("content-disposition", `attachment; filename="${name}"`);
}
