import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Kysely, SqliteDialect } from "kysely";
import Sqlite from "libsql";
import { DatabaseError, type Database } from "./database.ts";
import type { Tables } from "./schema.ts";

/**
 * SQLite in a directory that belongs to one server at a time, or in memory.
 * @throws DatabaseError
 */
export function openSqlite(directory: string | undefined): Database {
  const opened: Sqlite.Database[] = [];
  const open = (file: string): Sqlite.Database => {
    opened.push(new Sqlite(file));
    return opened.at(-1)!;
  };
  try {
    if (directory !== undefined) takeDirectory(directory, open);
    const file = open(directory === undefined ? ":memory:" : join(directory, "levin.db"));
    file.pragma("journal_mode = WAL");
    // What is acknowledged is on the disk, whatever ends the process or the machine.
    file.pragma("synchronous = FULL");
    file.pragma("foreign_keys = ON");
    return databaseOf(file, opened);
  } catch (error) {
    for (const file of opened) file.close();
    const { code, message } = error as Error & { code?: string };
    throw new DatabaseError(
      code === "SQLITE_BUSY"
        ? `${directory} is in use by another server; choose another directory, or PostgreSQL for both`
        : `cannot use ${directory} for sessions: ${message}`,
      { cause: error },
    );
  }
}

function databaseOf(file: Sqlite.Database, opened: readonly Sqlite.Database[]): Database {
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: file }) });
  const locked = new Set<string>();
  return {
    db,
    lock: (name) => Promise.resolve(!locked.has(name) && locked.add(name).has(name)),
    unlock: (name) => Promise.resolve(void locked.delete(name)),
    close: async () => {
      await db.destroy();
      for (const one of opened) if (one !== file) one.close();
    },
  };
}

/** An open transaction of a second file is a lock that the system drops however the process ends. */
function takeDirectory(directory: string, open: (file: string) => Sqlite.Database): void {
  makeDirectory(resolve(directory));
  open(join(directory, "lock")).exec("BEGIN EXCLUSIVE");
}

/** As `mkdir -p`: Node's own never ends below `/proc`, where the parent is there but makes nothing. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || existsSync(dirname(path))) throw error;
    makeDirectory(dirname(path));
    mkdirSync(path);
  }
}
