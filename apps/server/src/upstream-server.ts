import type { FastifyInstance } from "fastify";
import { ResponseStore } from "./api/responses/response-store.ts";
import { responses } from "./api/responses/responses.ts";
import {
  baseServer,
  defaultGrace,
  defaultStallTimeout,
  type ServerSettings,
} from "./base-server.ts";
import { upstreamMetrics } from "./observability/upstream-metrics.ts";
import { endAnswersOnClose } from "./scheduling/end-answers-on-close.ts";
import { lazyDatabase } from "./sessions/lazy-database.ts";
import { registerSessions } from "./sessions/register-sessions.ts";
import { upstreamResponses } from "./upstream/response-answers.ts";
import { sessionTurns } from "./upstream/session-turns.ts";
import { UpstreamAnswerer } from "./upstream/upstream-answerer.ts";
import { upstreamRoutes } from "./upstream/upstream-routes.ts";
import type { Upstreams } from "./upstream/upstreams.ts";

/** A server whose requests other engines answer: nothing of a model is loaded. */
export function upstreamServer(
  options: ServerSettings & { upstreams: Upstreams },
): FastifyInstance {
  const { upstreams, stallTimeout = defaultStallTimeout, shutdownGrace = defaultGrace } = options;
  return baseServer(options, (app, registry) => {
    app.addHook("onClose", () => upstreams.close());
    upstreamMetrics(registry, upstreams.all);
    const database = lazyDatabase(app, options.database);
    const beginTurn = registerSessions(app, new UpstreamAnswerer(upstreams), database, options);
    upstreamRoutes(app, upstreams, stallTimeout, sessionTurns(upstreams, beginTurn, stallTimeout));
    const store = new ResponseStore(database, options.responseQuota);
    responses(app, upstreamResponses(upstreams), store, stallTimeout);
    endAnswersOnClose(app, upstreams, shutdownGrace);
  });
}
