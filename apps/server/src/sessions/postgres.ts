import { createHash } from "node:crypto";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Database } from "./database.ts";
import type { Tables } from "./schema.ts";

/** Counts and times are safe integers; by default they come as text. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

/** PostgreSQL, shared by any number of servers. Connects when it is first used. */
export function openPostgres(url: string): Database {
  const pool = new pg.Pool({ connectionString: url, types });
  // A connection that breaks while it rests is replaced by the next request.
  pool.on("error", () => {});
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const locks = new AdvisoryLocks(url);
  return {
    db,
    lock: (name) => locks.lock(name),
    unlock: (name) => locks.unlock(name),
    close: async () => {
      await locks.close();
      await db.destroy();
    },
  };
}

/**
 * Locks that belong to one connection, so that they end with it. Within a connection they may be
 * taken twice, so those of this server are remembered too.
 */
class AdvisoryLocks {
  readonly #url: string;
  readonly #held = new Set<string>();
  #client: Promise<pg.Client> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async lock(name: string): Promise<boolean> {
    if (this.#held.has(name)) return false;
    this.#held.add(name);
    try {
      const client = await (this.#client ??= this.#connect());
      const { rows } = await client.query("SELECT pg_try_advisory_lock($1) AS locked", [key(name)]);
      const { locked } = rows[0] as { locked: boolean };
      if (!locked) this.#held.delete(name);
      return locked;
    } catch (error) {
      this.#held.delete(name);
      throw error;
    }
  }

  async unlock(name: string): Promise<void> {
    try {
      const client = await this.#client;
      await client?.query("SELECT pg_advisory_unlock($1)", [key(name)]);
    } catch {
      // The connection is lost, and the lock with it.
    } finally {
      this.#held.delete(name);
    }
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.end();
  }

  #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url, types });
    const connected = client.connect().then(() => client);
    // It tells of its end more than once: another may be in its place by then, with its own locks.
    const forget = (): void => {
      if (this.#client === connected) this.#client = undefined;
    };
    client.on("error", forget);
    client.on("end", forget);
    connected.catch(forget);
    return connected;
  }
}

/** A lock's number, 64 bits: PostgreSQL knows locks by numbers. */
function key(name: string): string {
  return createHash("sha256").update(`levin:${name}`).digest().readBigInt64LE().toString();
}
