import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Kysely, SqliteDialect } from "kysely";
import Sqlite from "libsql";
import { DatabaseError, type Database } from "./database.ts";
import type { Tables } from "./schema.ts";

/**
 * SQLite in a directory that belongs to one server at a time, or in memory.
 * @throws DatabaseError
 */
export function openSqlite(directory: string | undefined): Database {
  const lock = directory === undefined ? undefined : takeDirectory(directory);
  const file = new Sqlite(directory === undefined ? ":memory:" : join(directory, "levin.db"));
  file.pragma("journal_mode = WAL");
  // What is acknowledged is on the disk, whatever ends the process or the machine.
  file.pragma("synchronous = FULL");
  file.pragma("foreign_keys = ON");
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: file }) });
  const locked = new Set<string>();
  return {
    db,
    lock: (name) => Promise.resolve(!locked.has(name) && locked.add(name).has(name)),
    unlock: (name) => Promise.resolve(void locked.delete(name)),
    close: async () => {
      await db.destroy();
      lock?.close();
    },
  };
}

/** An open transaction of a second file is a lock that the system drops however the process ends. */
function takeDirectory(directory: string): Sqlite.Database {
  let lock: Sqlite.Database | undefined;
  try {
    mkdirSync(directory, { recursive: true });
    lock = new Sqlite(join(directory, "lock"));
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    const { code, message } = error as Error & { code?: string };
    throw new DatabaseError(
      code === "SQLITE_BUSY"
        ? `${directory} is in use by another server; choose another directory, or PostgreSQL for both`
        : `cannot use ${directory} for sessions: ${message}`,
      { cause: error },
    );
  }
}
