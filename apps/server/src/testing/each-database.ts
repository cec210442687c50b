import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { Database, DatabaseOptions } from "../sessions/database.ts";
import { openDatabase } from "../sessions/open-database.ts";
import { hasPostgres, startPostgres } from "./start-postgres.ts";

interface Place {
  options: DatabaseOptions;
  remove(): unknown;
}

const places: Record<string, () => Promise<Place> | Place> = {
  "SQLite in memory": () => ({ options: {}, remove: () => {} }),
  "SQLite in a directory": () => {
    const data = mkdtempSync(join(tmpdir(), "levin-sessions-"));
    return { options: { data }, remove: () => rmSync(data, { recursive: true }) };
  },
  ...(hasPostgres && {
    PostgreSQL: async () => {
      const server = await startPostgres();
      return { options: { url: server.url }, remove: () => server.stop() };
    },
  }),
};

/** Runs tests with a fresh database of each kind that this machine has. */
export function eachDatabase(what: string, tests: (database: () => Database) => void): void {
  for (const [kind, start] of Object.entries(places)) {
    describe(`${what} in ${kind}`, () => {
      let place: Place | undefined;
      let database: Database | undefined;
      beforeAll(async () => {
        place = await start();
        database = await openDatabase(place.options);
      });
      afterAll(async () => {
        await database?.close();
        await place?.remove();
      });
      tests(() => database!);
    });
  }
}
