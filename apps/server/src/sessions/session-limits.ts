import { sql, type Kysely } from "kysely";
import { ApiError } from "../api/api-error.ts";
import type { Tables } from "./schema.ts";

/** How many sessions there may be, and how large. Servers that share a database each see to it. */
export interface SessionLimits {
  /** Sessions of one API key; without keys, of all. Default 10,000. */
  perKey: number;
  /** All sessions; default 100,000. */
  total: number;
  /** Bytes of all their messages, token ids and tools; default 1 GiB. A turn that begins below is kept. */
  bytes: number;
}

export const defaultLimits: SessionLimits = { perKey: 10_000, total: 100_000, bytes: 2 ** 30 };

/** @throws ApiError (403) when there is no room for another session of an owner */
export async function checkNewSession(
  db: Kysely<Tables>,
  owner: string,
  { perKey, total, bytes }: SessionLimits,
): Promise<void> {
  const all = await amountOf(db);
  checkBytes(all.size, bytes);
  if (all.count >= total) throw tooMany(`there are ${all.count} sessions, of ${total}`);
  const own = await amountOf(db, owner);
  if (own.count >= perKey) throw tooMany(`you have ${own.count} sessions, of ${perKey}`);
}

/** @throws ApiError (403) when there is no room for more messages */
export async function checkGrowth(db: Kysely<Tables>, { bytes }: SessionLimits): Promise<void> {
  checkBytes((await amountOf(db)).size, bytes);
}

async function amountOf(
  db: Kysely<Tables>,
  owner?: string,
): Promise<{ count: number; size: number }> {
  let asked = db.selectFrom("session").select([
    sql<number>`count(*)`.as("count"),
    // PostgreSQL adds large numbers up to a decimal, which comes as text.
    sql<number>`cast(coalesce(sum(size), 0) as bigint)`.as("size"),
  ]);
  if (owner !== undefined) asked = asked.where("owner", "=", owner);
  return asked.executeTakeFirstOrThrow();
}

function checkBytes(found: number, allowed: number): void {
  if (found < allowed) return;
  throw new ApiError(
    403,
    `the sessions of this server have ${found} bytes, of ${allowed} that are allowed; delete some`,
    { code: "session_bytes_exceeded" },
  );
}

function tooMany(found: string): ApiError {
  return new ApiError(403, `${found} that are allowed; delete some`, {
    code: "session_limit_exceeded",
  });
}
