import type { FastifyInstance, FastifyReply } from "fastify";
import { about, deletionOf } from "../api/openapi.ts";
import { exportSession, forkSession, importSession, wholeSession } from "./session-copies.ts";
import { readSessionFile } from "./read-session-file.ts";
import { fileSchema } from "./session-file.ts";
import {
  importedSchema,
  listForm,
  sessionForm,
  sessionPageSchema,
  sessionSchema,
  wholeSessionSchema,
} from "./session-forms.ts";
import {
  createSchema,
  forkSchema,
  listSchema,
  parseCreate,
  parseFork,
  parseList,
  parseUpdate,
  updateSchema,
} from "./session-requests.ts";
import type { Sessions } from "./sessions.ts";

const one = { reply: sessionSchema };

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
  app.post(
    "/v1/sessions",
    about("Begins a session", { body: createSchema, ...one }),
    async (request) => {
      const { title = null, metadata, system } = parseCreate(request.body);
      const sessions = await opened();
      const model = await sessions.model();
      const session = { title, metadata: metadata ?? {}, tools: null, ...model };
      const message = { role: "system" as const, content: system ?? "" };
      const messages = system == null ? [] : [{ message, tokens: null, createdAt: Date.now() }];
      return sessionForm(await sessions.store.create(owner(), session, messages));
    },
  );

  const list = about("Sessions, the newest change first", {
    query: listSchema,
    reply: sessionPageSchema,
  });
  app.get("/v1/sessions", list, async (request) => {
    const { store } = await opened();
    const { sessions, hasMore } = await store.list(owner(), parseList(request.query));
    return listForm(sessions, hasMore);
  });

  app.get<OfSession>(
    "/v1/sessions/:id",
    about("A session and its messages", { reply: wholeSessionSchema }),
    async ({ params: { id } }) => wholeSession(await opened(), owner(), id),
  );

  app.patch<OfSession>(
    "/v1/sessions/:id",
    about("Changes title or metadata", { body: updateSchema, ...one }),
    async ({ params, body }) => {
      const { store } = await opened();
      return sessionForm(await store.update(owner(), params.id, parseUpdate(body)));
    },
  );

  app.delete<OfSession>(
    "/v1/sessions/:id",
    about("Deletes a session", { reply: deletionOf("session.deleted") }),
    async ({ params: { id } }) => {
      const sessions = await opened();
      await sessions.exclusively(owner(), id, () => sessions.store.delete(owner(), id));
      return { id, object: "session.deleted", deleted: true };
    },
  );

  app.post<OfSession>(
    "/v1/sessions/:id/fork",
    about("Copies a session up to a message", { body: forkSchema, ...one }),
    async ({ params, body }) =>
      sessionForm(await forkSession(await opened(), owner(), params.id, parseFork(body))),
  );

  app.get<OfSession>(
    "/v1/sessions/:id/export",
    about("A session as a file", { reply: fileSchema }),
    async ({ params: { id } }, reply) => {
      const file = await exportSession(await opened(), owner(), id);
      return asDownload(reply, `${id}.json`).send(file);
    },
  );

  importRoute(app, opened, owner);
}

function importRoute(
  app: FastifyInstance,
  opened: () => Promise<Sessions>,
  owner: () => string,
): void {
  const options = {
    bodyLimit: importLimit,
    ...about("A session of a file", { body: fileSchema, reply: importedSchema }),
  };
  // In a scope of its own: its bodies are read here.
  void app.register(async (scope) => {
    scope.removeContentTypeParser("application/json");
    const asTheyCome = (_: unknown, body: Buffer) => Promise.resolve(body);
    scope.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, asTheyCome);
    scope.post<{ Body: Buffer }>("/v1/sessions/import", options, async ({ body }) => {
      const file = await readSessionFile(body);
      const { session, imported } = await importSession(await opened(), owner(), file);
      return { ...sessionForm(session), imported };
    });
  });
}

function asDownload(reply: FastifyReply, name: string): FastifyReply {
  return reply.header("content-disposition", `attachment; filename="${name}"`);
}
