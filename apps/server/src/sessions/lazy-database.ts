import type { FastifyInstance } from "fastify";
import type { Database } from "./database.ts";
import { openDatabase } from "./open-database.ts";

/**
 * A database that is closed with the server.
 * @param given default: one in memory, opened when it is first needed
 */
export function lazyDatabase(
  app: FastifyInstance,
  given: Database | undefined,
): () => Promise<Database> {
  let opened = given && Promise.resolve(given);
  app.addHook("onClose", async () => (await opened)?.close());
  return () => (opened ??= openDatabase());
}
