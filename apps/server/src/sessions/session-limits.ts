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
  /** The same of one API key, so that none takes the room of all; default 256 MiB. */
  bytesPerKey: number;
}

export const defaultLimits: SessionLimits = {
  perKey: 10_000,
  total: 100_000,
  bytes: 2 ** 30,
  bytesPerKey: 2 ** 28,
};

/** @throws ApiError (403) when there is no room for another session of an owner */
export async function checkNewSession(
  db: Kysely<Tables>,
  owner: string,
  limits: SessionLimits,
): Promise<void> {
  const { all, own } = await checkGrowth(db, owner, limits);
  const { perKey, total } = limits;
  if (all.count >= total) throw tooMany(`there are ${all.count} sessions, of ${total}`);
  if (own.count >= perKey) throw tooMany(`you have ${own.count} sessions, of ${perKey}`);
}

/**
 * @returns what there is
 * @throws ApiError (403) when there is no room for more messages of an owner
 */
export async function checkGrowth(
  db: Kysely<Tables>,
  owner: string,
  { bytes, bytesPerKey }: SessionLimits,
): Promise<{ all: Amount; own: Amount }> {
  const { all, own } = await amounts(db, owner);
  checkBytes("the sessions of this server", all.size, bytes);
  // Without keys all sessions are of one owner.
  if (owner !== "") checkBytes("your sessions", own.size, bytesPerKey);
  return { all, own };
}

interface Amount {
  count: number;
  size: number;
}

/** What there is of all sessions and of an owner's, by one look at the table. */
async function amounts(db: Kysely<Tables>, owner: string): Promise<{ all: Amount; own: Amount }> {
  const rows = await db
    .selectFrom("session")
    .select([
      sql<0 | 1>`case when owner = ${owner} then 1 else 0 end`.as("is_own"),
      sql<number>`count(*)`.as("count"),
      // PostgreSQL adds large numbers up to a decimal, which comes as text.
      sql<number>`cast(coalesce(sum(size), 0) as bigint)`.as("size"),
    ])
    .groupBy("is_own")
    .execute();
  const none = { count: 0, size: 0 };
  const { count, size } = rows.find((row) => row.is_own === 1) ?? none;
  const others = rows.find((row) => row.is_own === 0) ?? none;
  return { all: { count: count + others.count, size: size + others.size }, own: { count, size } };
}

function checkBytes(whose: string, found: number, allowed: number): void {
  if (found < allowed) return;
  throw new ApiError(
    403,
    `${whose} have ${found} bytes, of ${allowed} that are allowed; delete some`,
    { code: "session_bytes_exceeded" },
  );
}

function tooMany(found: string): ApiError {
  return new ApiError(403, `${found} that are allowed; delete some`, {
    code: "session_limit_exceeded",
  });
}
