import { sql, type Transaction } from "kysely";
import type { Database } from "../../sessions/database.ts";
import { columnText } from "../../sessions/rows.ts";
import type { Tables } from "../../sessions/schema.ts";
import { day } from "../../sessions/state-quota.ts";
import { ApiError } from "../api-error.ts";
import type { ResponseObject } from "./response-events.ts";
import type { ItemForm } from "./output-items.ts";

/** How much is kept of responses; the oldest go first. */
export interface ResponseQuota {
  /** Bytes of the responses of one API key, what they answer included; default 32 MiB. */
  bytes: number;
  /** Milliseconds; default 30 days. */
  age: number;
}

const defaultQuota: ResponseQuota = { bytes: 32 * 2 ** 20, age: 30 * day };

/** A response, and all items before its output. */
export interface StoredResponse {
  input: readonly ItemForm[];
  response: ResponseObject;
}

/** Responses from which others may go on, in the database of sessions. */
export class ResponseStore {
  readonly #database: () => Promise<Database>;
  readonly #quota: ResponseQuota;

  /** @param database called when it is first needed */
  constructor(database: () => Promise<Database>, quota: Partial<ResponseQuota> = {}) {
    this.#database = database;
    this.#quota = { ...defaultQuota, ...quota };
  }

  /** Keeps a response, unless it alone is too large; when this resolves it is on the disk. */
  async keep(owner: string, stored: StoredResponse): Promise<void> {
    const { db } = await this.#database();
    const [input, body] = [JSON.stringify(stored.input), JSON.stringify(stored.response)];
    const size = Buffer.byteLength(input) + Buffer.byteLength(body);
    if (size > this.#quota.bytes) return;
    const row = { id: stored.response.id, owner, input, body, size, created_at: Date.now() };
    await db.transaction().execute(async (change) => {
      await change.insertInto("response").values(row).execute();
      await dropResponses(change, owner, this.#quota);
    });
  }

  /** @throws ApiError (404) when the owner has none of this id, or no longer */
  async find(owner: string, id: string, param: string | null = null): Promise<StoredResponse> {
    const { db } = await this.#database();
    const row = await db
      .selectFrom("response")
      .select(["input", "body"])
      .where("id", "=", columnText(id))
      .where("owner", "=", owner)
      .executeTakeFirst();
    if (!row) throw notFound(id, param);
    return {
      input: JSON.parse(row.input) as ItemForm[],
      response: JSON.parse(row.body) as ResponseObject,
    };
  }

  /** @throws ApiError (404) */
  async delete(owner: string, id: string): Promise<void> {
    const { db } = await this.#database();
    const { numDeletedRows } = await db
      .deleteFrom("response")
      .where("id", "=", columnText(id))
      .where("owner", "=", owner)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw notFound(id, null);
  }
}

/** Share of its bytes that an owner has left after the oldest went: so that they seldom have to. */
const shareLeft = 15 / 16;

async function dropResponses(
  change: Transaction<Tables>,
  owner: string,
  { bytes, age }: ResponseQuota,
): Promise<void> {
  await change
    .deleteFrom("response")
    .where("created_at", "<", Date.now() - age)
    .execute();
  const { total } = await change
    .selectFrom("response")
    .select(sql<number>`coalesce(sum(size), 0)`.as("total"))
    .where("owner", "=", owner)
    .executeTakeFirstOrThrow();
  if (total <= bytes) return;
  await sql`
    DELETE FROM response WHERE id IN (
      SELECT id FROM (
        SELECT id, SUM(size) OVER (ORDER BY created_at DESC, id) AS total, size
        FROM response WHERE owner = ${owner}
      ) AS newest WHERE total > ${Math.floor(bytes * shareLeft)} AND total > size
    )`.execute(change);
}

function notFound(id: string, param: string | null): ApiError {
  return new ApiError(404, `no response "${id}" is kept here; send the whole conversation`, {
    param,
    code: "response_not_found",
  });
}
