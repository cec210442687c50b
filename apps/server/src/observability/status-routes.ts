import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Histogram, Registry } from "prom-client";
import { z } from "zod";
import { about } from "../api/openapi.ts";
import type { GenerationService } from "../scheduling/generation-service.ts";

/** Who watches a server asks often: these requests are not worth a line each. */
const quiet = { logLevel: "warn" } as const;

/** Options of a route that programs ask again and again, without a key. */
export function probe(summary: string, reply: z.ZodType) {
  const { api } = about(summary, { reply }).config;
  return { ...quiet, config: { isPublic: true, api } };
}

const healthSchema = z.object({
  status: z.literal("ok"),
  /** Requests that wait for a place. */
  waiting: z.int().min(0),
});
const readySchema = z.object({ status: z.string() });

/** `/health`: the server's thread runs. `/ready`: the model is there to be asked; which, keys alone are told. */
export function healthRoutes(app: FastifyInstance, service: GenerationService): void {
  const health = probe("Whether the server's thread runs", healthSchema);
  app.get("/health", health, () => ({ status: "ok", waiting: service.waiting }));
  app.get("/ready", probe("Whether the model is there to be asked", readySchema), (_, reply) => {
    const { status } = service;
    return reply.code(status === "ready" ? 200 : 503).send({ status });
  });
}

/** What proxies write of a client that left before its reply began. */
const leftUnanswered = 499;

/** `/metrics` in the form of Prometheus: those of a registry, of requests, and of the process. */
export function metricsRoute(app: FastifyInstance, registry: Registry): void {
  const durations = new Histogram({
    name: "levin_http_request_duration_seconds",
    help: "Seconds from a request to the end of its reply.",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300],
    registers: [registry],
  });
  app.addHook("onRequest", (request, reply, done) => {
    // Each part of an answer watches for its end: more than Node takes for a leak.
    reply.raw.setMaxListeners(20);
    // Not `onResponse`: it leaves out replies that their clients left.
    reply.raw.once("close", () => {
      const { method } = request;
      // The route's pattern, not the path: anyone could make up endless ones.
      const route = request.routeOptions.url ?? "unknown";
      const status = reply.raw.headersSent ? reply.statusCode : leftUnanswered;
      durations.observe({ method, route, status }, reply.elapsedTime / 1000);
    });
    done();
  });
  const metrics = { ...quiet, ...about("Metrics for Prometheus", { reply: "text/plain" }) };
  app.get("/metrics", metrics, async (_, reply) => {
    const all = Registry.merge([registry, processMetrics()]);
    return reply.type(all.contentType).send(await all.metrics());
  });
}

let ofProcess: Registry | undefined;

/** One for all servers of a process: it watches its event loop and garbage collector. */
function processMetrics(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
