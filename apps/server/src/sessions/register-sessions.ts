import type { Writable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { Engine } from "../engine/engine.ts";
import { ownerId } from "../security/caller.ts";
import type { ServedModel } from "../served-model.ts";
import type { Database } from "./database.ts";
import { openDatabase } from "./open-database.ts";
import { sessionRoutes } from "./session-routes.ts";
import { Sessions, type TurnRequest } from "./sessions.ts";
import { defaultQuota, type StateQuota } from "./state-quota.ts";
import type { Turn } from "./turn.ts";

export interface SessionSettings {
  /** Where sessions are kept, of `openDatabase`; closed with the server. Default: in memory. */
  database?: Database;
  /** How much is kept of their states. */
  stateQuota?: Partial<StateQuota>;
}

/**
 * Begins a turn in the caller's session.
 * @throws ApiError (404; 409 while another turn runs; 400 for what can't be appended)
 */
export type BeginTurn = (id: string, request: TurnRequest, reply: Writable) => Promise<Turn>;

/** Adds the routes of sessions; their database is opened when it is first needed. */
export function registerSessions(
  app: FastifyInstance,
  served: ServedModel,
  engine: Engine,
  { database, stateQuota }: SessionSettings,
): BeginTurn {
  const quota = { ...defaultQuota, ...stateQuota };
  let opened: Promise<Database> | undefined = database && Promise.resolve(database);
  let sessions: Promise<Sessions> | undefined;
  const open = async (): Promise<Sessions> => {
    opened ??= openDatabase();
    return new Sessions({ served, engine, database: await opened, quota, log: app.log });
  };
  const get = (): Promise<Sessions> => (sessions ??= open());
  sessionRoutes(app, get, ownerId);
  app.addHook("onClose", async () => (await opened)?.close());
  return async (id, request, reply) => (await get()).begin(ownerId(), id, request, reply);
}
