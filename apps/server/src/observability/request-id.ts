import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";

/** Nothing that could break a log line or a header. */
const saneId = /^[\w.:+/=-]{1,128}$/;

/** The client's own `x-request-id`, if it is a sane one, else a new id. */
export function requestId({ headers }: Pick<IncomingMessage, "headers">): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && saneId.test(given) ? given : randomUUID();
}

/** Tells each client the id under which its request is in the log. */
export function returnRequestIds(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    void reply.header("x-request-id", request.id);
    done();
  });
}
