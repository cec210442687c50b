import { Migrator } from "kysely";
import { DatabaseError, type Database, type DatabaseOptions } from "./database.ts";
import { openPostgres } from "./postgres.ts";
import { migrations } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";

/**
 * Opens a database and brings its tables up to date.
 * @throws DatabaseError
 */
export async function openDatabase({ data, url }: DatabaseOptions = {}): Promise<Database> {
  const database = url === undefined ? openSqlite(data) : openPostgres(url);
  const provider = { getMigrations: () => Promise.resolve(migrations) };
  const migrator = new Migrator({ db: database.db, provider });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return database;
  await database.close();
  // Node gathers the failures of several addresses in an error without a message.
  const { message, code } = error as Error & { code?: string };
  const reason = message || code;
  throw new DatabaseError(`cannot open the database of sessions: ${reason}`, { cause: error });
}
