import type { FastifyInstance } from "fastify";
import { checkJsonShape } from "./json-shape.ts";

/** Reads JSON bodies as Fastify does, but for those that would take long. */
export function jsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser<Buffer>(
    "application/json",
    { parseAs: "buffer" },
    (request, body, done) => {
      try {
        checkJsonShape(body);
      } catch (error) {
        return done(error as Error);
      }
      return parse(request, body.toString(), done);
    },
  );
}
