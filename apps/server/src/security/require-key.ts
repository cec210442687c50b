import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "../api/api-error.ts";
import type { StoredKey } from "./api-key.ts";
import { callers } from "./caller.ts";
import type { KeyLimiter } from "./key-limiter.ts";
import type { KeyRing } from "./key-ring.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Answered without an API key too. */
    isPublic?: boolean;
  }
  interface FastifyRequest {
    /** The API key that was shown; null where none is needed. */
    apiKey: StoredKey | null;
  }
}

/** Answers only requests with a valid key and within its limits, once there are keys; public routes without. */
export function requireKey(app: FastifyInstance, ring: KeyRing, limiter: KeyLimiter): void {
  app.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.config.isPublic === true || !ring.isLocked) return;
    const key = ring.find(shownKey(request) ?? "");
    if (key === undefined) {
      void reply.header("www-authenticate", "Bearer");
      throw new ApiError(401, "expected a valid API key in the header Authorization: Bearer KEY", {
        code: "invalid_api_key",
      });
    }
    request.apiKey = key;
    limiter.admit(key);
    reply.raw.once("close", () => limiter.release(key));
  });
  app.addHook("preHandler", ({ apiKey: key }, _, done) => {
    if (key === null) return done();
    const { id, name } = key;
    callers.run({ id, name, charge: (...tokens) => limiter.charge(key, ...tokens) }, done);
  });
  app.addHook("onSend", async ({ apiKey: key }, reply) => {
    if (key !== null) void reply.headers(limiter.headers(key));
  });
}

function shownKey({ headers: { authorization = "" } }: FastifyRequest): string | undefined {
  return /^bearer +(\S+)$/i.exec(authorization)?.[1];
}
