import type { Writable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import type { ResponseQuota } from "../api/responses/response-store.ts";
import type { Engine } from "../engine/engine.ts";
import { SessionMetrics } from "../observability/session-metrics.ts";
import { ownerId } from "../security/caller.ts";
import type { ServedModel } from "../served-model.ts";
import type { Database } from "./database.ts";
import { defaultLimits, type SessionLimits } from "./session-limits.ts";
import { sessionRoutes } from "./session-routes.ts";
import { Sessions, type TurnRequest } from "./sessions.ts";
import { defaultQuota, type StateQuota } from "./state-quota.ts";
import type { Turn } from "./turn.ts";

export interface SessionSettings {
  /** Where sessions and responses are kept, of `openDatabase`; closed with the server. Default: in memory. */
  database?: Database;
  /** How many sessions there may be, and how large. */
  sessionLimits?: Partial<SessionLimits> | undefined;
  /** How much is kept of their states. */
  stateQuota?: Partial<StateQuota> | undefined;
  /** How much is kept of responses. */
  responseQuota?: Partial<ResponseQuota> | undefined;
}

/**
 * Begins a turn in the caller's session.
 * @throws ApiError (404; 409 while another turn runs; 400 for what can't be appended)
 */
export type BeginTurn = (id: string, request: TurnRequest, reply: Writable) => Promise<Turn>;

/**
 * Adds the routes of sessions.
 * @param database called when it is first needed
 */
export function registerSessions(
  app: FastifyInstance,
  served: ServedModel,
  engine: Engine,
  database: () => Promise<Database>,
  registry: Registry,
  { stateQuota, sessionLimits }: SessionSettings,
): BeginTurn {
  const quota = { ...defaultQuota, ...stateQuota };
  const limits = { ...defaultLimits, ...sessionLimits };
  const metrics = new SessionMetrics(registry);
  let sessions: Promise<Sessions> | undefined;
  const open = async (): Promise<Sessions> =>
    new Sessions({
      served,
      engine,
      database: await database(),
      quota,
      limits,
      metrics,
      log: app.log,
    });
  const get = (): Promise<Sessions> => (sessions ??= open());
  sessionRoutes(app, get, ownerId);
  return async (id, request, reply) => (await get()).begin(ownerId(), id, request, reply);
}
