import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";

/** Lets pages of these origins read replies; `*`: of any. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  void app.register(cors, {
    origin: origins.includes("*") ? "*" : [...origins],
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    exposedHeaders: [
      "retry-after",
      "x-request-id",
      ...["limit", "remaining", "reset"].flatMap((what) =>
        ["requests", "tokens"].map((unit) => `x-ratelimit-${what}-${unit}`),
      ),
    ],
    maxAge: 600,
  });
}
