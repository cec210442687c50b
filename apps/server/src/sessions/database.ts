import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** Raised when a database cannot be opened; says what to do. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
}

/** Where sessions are kept: in a directory, in PostgreSQL, or else in memory. */
export interface DatabaseOptions {
  /** Directory of one server; made if it does not exist. */
  data?: string | undefined;
  /** `postgres://…`, for any number of servers. Wins over `data`. */
  url?: string | undefined;
}

/** A database with our tables, and locks that all its servers respect. */
export interface Database {
  readonly db: Kysely<Tables>;
  /** Takes a lock until `unlock`; false when someone has it. A server that dies loses its locks. */
  lock(name: string): Promise<boolean>;
  unlock(name: string): Promise<void>;
  close(): Promise<void>;
}
