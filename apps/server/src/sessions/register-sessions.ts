import type { Writable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { ResponseQuota } from "../api/responses/response-store.ts";
import { ownerId } from "../security/caller.ts";
import type { Answerer, TurnRequest } from "./answerer.ts";
import type { Database } from "./database.ts";
import { defaultLimits, type SessionLimits } from "./session-limits.ts";
import { sessionRoutes } from "./session-routes.ts";
import { Sessions, type BegunTurn } from "./sessions.ts";
import { defaultQuota, type StateQuota } from "./state-quota.ts";

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
 * @throws what `Sessions.begin` throws
 */
export type BeginTurn<Prompt> = (
  id: string,
  request: TurnRequest,
  reply: Writable,
) => Promise<BegunTurn<Prompt>>;

/**
 * Adds the routes of sessions.
 * @param database called when it is first needed
 */
export function registerSessions<Prompt>(
  app: FastifyInstance,
  answerer: Answerer<Prompt>,
  database: () => Promise<Database>,
  { stateQuota, sessionLimits }: SessionSettings,
): BeginTurn<Prompt> {
  const quota = { ...defaultQuota, ...stateQuota };
  const limits = { ...defaultLimits, ...sessionLimits };
  let sessions: Promise<Sessions<Prompt>> | undefined;
  const open = async (): Promise<Sessions<Prompt>> =>
    new Sessions({ answerer, database: await database(), quota, limits, log: app.log });
  const get = (): Promise<Sessions<Prompt>> => (sessions ??= open());
  sessionRoutes(app, get, ownerId);
  return async (id, request, reply) => (await get()).begin(ownerId(), id, request, reply);
}
