import type { FastifyInstance } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** Whose turn a request takes. */
    client: string;
  }
}

/** Tells clients apart by their API keys, or where they need none by their addresses. */
export function tellClients(app: FastifyInstance): void {
  app.decorateRequest("client", "");
  app.addHook("preHandler", (request, _, done) => {
    request.client = request.apiKey ? `key ${request.apiKey.id}` : request.ip;
    done();
  });
}
