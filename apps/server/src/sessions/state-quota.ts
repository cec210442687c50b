import { sql, type Transaction } from "kysely";
import type { Tables } from "./schema.ts";

/** How much is kept of states. Messages stay: a state that was dropped is found again by reading. */
export interface StateQuota {
  /** States of one session; the last one goes on, those before serve forks. Default 8. */
  perSession: number;
  /** Bytes of all states; default 1 GiB. Beyond, the keys that hold most of them lose their oldest. */
  bytes: number;
  /** Milliseconds; default 30 days. */
  age: number;
}

/** Milliseconds. */
export const day = 24 * 60 * 60 * 1000;

export const defaultQuota: StateQuota = { perSession: 8, bytes: 2 ** 30, age: 30 * day };

/**
 * Drops the oldest states beyond the quota: of one session, and of all, where they are shared out
 * so that each owner keeps as much as the others, or all it has.
 */
export async function dropStates(
  change: Transaction<Tables>,
  id: string,
  { perSession, bytes, age }: StateQuota,
): Promise<void> {
  await sql`
    DELETE FROM state WHERE session_id = ${id} AND position NOT IN (
      SELECT position FROM state WHERE session_id = ${id}
      ORDER BY position DESC LIMIT ${perSession}
    )`.execute(change);
  await change
    .deleteFrom("state")
    .where("created_at", "<", Date.now() - age)
    .execute();
  const owners = await change
    .selectFrom("state")
    // PostgreSQL adds large numbers up to a decimal, which comes as text.
    .select(["owner", sql<number>`cast(sum(size) as bigint)`.as("size")])
    .groupBy("owner")
    .execute();
  const sizes = owners.map(({ size }) => size);
  const share = fairShare(sizes, bytes);
  for (const { owner } of owners.filter(({ size }) => size > share)) {
    await sql`
      DELETE FROM state WHERE (session_id, position) IN (
        SELECT session_id, position FROM (
          SELECT session_id, position, SUM(size) OVER (
            ORDER BY created_at DESC, position DESC, session_id
          ) AS total FROM state WHERE owner = ${owner}
        ) AS newest WHERE total > ${share}
      )`.execute(change);
  }
}

/** The most that each may have so that all together have no more than there is. */
export function fairShare(sizes: readonly number[], all: number): number {
  let left = all;
  for (const [i, size] of sizes.toSorted((a, b) => a - b).entries()) {
    const share = left / (sizes.length - i);
    if (size > share) return Math.floor(share);
    left -= size;
  }
  return Infinity;
}
