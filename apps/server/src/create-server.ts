import type { FastifyInstance } from "fastify";
import type { ServerSettings } from "./base-server.ts";
import { modelServer, type ServingModel } from "./model-server.ts";
import { upstreamServer } from "./upstream-server.ts";
import type { Upstreams } from "./upstream/upstreams.ts";

/** What answers requests: a model, or other engines that have some. */
export type Answering = ServingModel | { upstreams: Upstreams };

export type ServerOptions = ServerSettings & Answering;

/**
 * An OpenAI-compatible HTTP server with a chat page at `/`. Nothing listens yet:
 * call `listen`, or `inject` requests. Closing it lets running answers finish for a while.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  return "upstreams" in options ? upstreamServer(options) : modelServer(options);
}
