import { randomUUID } from "node:crypto";
import { sql, type Kysely, type Transaction } from "kysely";
import { ApiError } from "../api/api-error.ts";
import type { Database } from "./database.ts";
import {
  columnText,
  countTokens,
  messageOf,
  messageRow,
  searchKey,
  sessionOf,
  stateOf,
  stateRow,
  titleColumns,
} from "./rows.ts";
import { sizeOfSession, type Tables } from "./schema.ts";
import type { NewSession, Session, SessionMessage, SessionState } from "./session.ts";
import {
  checkGrowth,
  checkNewSession,
  defaultLimits,
  type SessionLimits,
} from "./session-limits.ts";
import { dropStates, type StateQuota } from "./state-quota.ts";

/** A page of a list, the newest change first. */
export interface PageRequest {
  limit: number;
  /** Id of the last session of the page before. */
  after?: string | undefined;
  /** Part of the title, in any case. */
  query?: string | undefined;
}

/** What a turn changes. */
export interface Addition {
  /** Messages from `from` on, with their tokens: those new, and those whose tokens were found. */
  messages: readonly SessionMessage[];
  from: number;
  state: SessionState | undefined;
  /** What the tokens are of from now on; with another fingerprint all states go. */
  model: Pick<Session, "model" | "fingerprint" | "tools">;
  /** For a session that has none. */
  title: string;
}

/** Sessions in a database. Each belongs to an owner; for others it does not exist. */
export class SessionStore {
  readonly #db: Kysely<Tables>;
  readonly #quota: StateQuota;
  readonly #limits: SessionLimits;

  constructor(
    { db }: Pick<Database, "db">,
    quota: StateQuota,
    limits: SessionLimits = defaultLimits,
  ) {
    this.#db = db;
    this.#quota = quota;
    this.#limits = limits;
  }

  /** Reads several things as they are at one moment. */
  moment<Result>(read: (store: SessionStore) => Promise<Result>): Promise<Result> {
    const reading = this.#db.transaction().setIsolationLevel("repeatable read");
    return reading.execute((db) => read(new SessionStore({ db }, this.#quota, this.#limits)));
  }

  /** @throws ApiError (403) when there is no room for more messages of an owner */
  async checkGrowth(owner: string): Promise<void> {
    await checkGrowth(this.#db, owner, this.#limits);
  }

  /** @throws ApiError (403) when there are as many sessions, or bytes of them, as may be */
  async create(
    owner: string,
    session: NewSession,
    messages: readonly SessionMessage[],
    state?: SessionState,
  ): Promise<Session> {
    const id = `sess_${randomUUID().replaceAll("-", "")}`;
    const now = Date.now();
    const row = {
      id,
      owner,
      ...titleColumns(session.title),
      metadata: JSON.stringify(session.metadata),
      tools: session.tools && JSON.stringify(session.tools),
      model: session.model,
      fingerprint: session.fingerprint,
      version: 0,
      message_count: messages.length,
      token_count: countTokens(messages),
      created_at: now,
      updated_at: now,
    };
    return this.#db.transaction().execute(async (change) => {
      await checkNewSession(change, owner, this.#limits);
      await change.insertInto("session").values(row).execute();
      await insertMessages(change, id, 0, messages);
      if (state) await this.#keepState(change, id, state);
      return sessionOf({ ...row, size: await measure(change, id) });
    });
  }

  /** @throws ApiError (404) */
  async find(owner: string, id: string): Promise<Session> {
    const row = await this.#db
      .selectFrom("session")
      .selectAll()
      .where("id", "=", columnText(id))
      .where("owner", "=", owner)
      .executeTakeFirst();
    if (!row) throw notFound(id);
    return sessionOf(row);
  }

  /** @throws ApiError (404) when `after` is none of the owner's */
  async list(
    owner: string,
    { limit, after, query = "" }: PageRequest,
  ): Promise<{ sessions: Session[]; hasMore: boolean }> {
    let asked = this.#db.selectFrom("session").selectAll().where("owner", "=", owner);
    if (after !== undefined) {
      const { id, updatedAt } = await this.find(owner, after);
      asked = asked.where((eb) =>
        eb(eb.refTuple("updated_at", "id"), "<", eb.tuple(updatedAt, id)),
      );
    }
    const key = searchKey(query).replaceAll(/[\\%_]/g, "\\$&");
    if (key !== "") {
      asked = asked.where(
        (eb) => sql<boolean>`${eb.ref("title_key")} like ${`%${key}%`} escape '\\'`,
      );
    }
    const rows = await asked
      .orderBy("updated_at", "desc")
      .orderBy("id", "desc")
      .limit(limit + 1)
      .execute();
    return { sessions: rows.slice(0, limit).map(sessionOf), hasMore: rows.length > limit };
  }

  /** All messages of a session that was found, in order. */
  async messages({ id }: Session): Promise<SessionMessage[]> {
    const rows = await this.#db
      .selectFrom("message")
      .selectAll()
      .where("session_id", "=", id)
      .orderBy("position")
      .execute();
    return rows.map(messageOf);
  }

  /** The newest state that is kept, of those after a message up to `position`. */
  async state({ id }: Session, position = Infinity): Promise<SessionState | undefined> {
    const row = await this.#db
      .selectFrom("state")
      .select(["position", "tokens", "bytes"])
      .where("session_id", "=", id)
      .where("position", "<=", Math.min(position, 2 ** 31 - 1))
      .orderBy("position", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && stateOf(row);
  }

  /** Tokens and bytes of each state that is kept, in order. */
  states({ id }: Session): Promise<{ position: number; tokens: number; size: number }[]> {
    return this.#db
      .selectFrom("state")
      .select(["position", "tokens", "size"])
      .where("session_id", "=", id)
      .orderBy("position")
      .execute();
  }

  /** @throws ApiError (404) */
  async update(
    owner: string,
    id: string,
    { title, metadata }: { title?: string | null | undefined; metadata?: object | undefined },
  ): Promise<Session> {
    const row = await this.#db
      .updateTable("session")
      .set({
        updated_at: Date.now(),
        ...(title !== undefined && titleColumns(title)),
        ...(metadata && { metadata: JSON.stringify(metadata) }),
      })
      .where("id", "=", columnText(id))
      .where("owner", "=", owner)
      .returningAll()
      .executeTakeFirst();
    if (!row) throw notFound(id);
    return sessionOf(row);
  }

  /** @throws ApiError (404) */
  async delete(owner: string, id: string): Promise<void> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("session")
      .where("id", "=", columnText(id))
      .where("owner", "=", owner)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw notFound(id);
  }

  /**
   * Writes a turn, all of it or nothing; when this resolves it is on the disk.
   * @throws ApiError (409) when the session was changed or deleted since it was read
   */
  async add(session: Session, { messages, from, state, model, title }: Addition): Promise<void> {
    const { id, version, fingerprint } = session;
    await this.#db.transaction().execute(async (change) => {
      const before = from === 0 ? 0 : session.tokenCount;
      const { numUpdatedRows } = await change
        .updateTable("session")
        .set({
          // A title that was given meanwhile stays.
          title: sql<string>`coalesce(title, ${columnText(title)})`,
          title_key: sql<string>`case when title is null then ${searchKey(title)} else title_key end`,
          tools: model.tools && JSON.stringify(model.tools),
          model: model.model,
          fingerprint: model.fingerprint,
          version: version + 1,
          message_count: from + messages.length,
          token_count: before + countTokens(messages),
          updated_at: Date.now(),
        })
        .where("id", "=", id)
        .where("version", "=", version)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw changed(id);
      if (model.fingerprint !== fingerprint) {
        await change.deleteFrom("state").where("session_id", "=", id).execute();
      }
      await change
        .deleteFrom("message")
        .where("session_id", "=", id)
        .where("position", ">=", from)
        .execute();
      await insertMessages(change, id, from, messages);
      if (state) await this.#keepState(change, id, state);
      await measure(change, id);
    });
  }

  async #keepState(change: Transaction<Tables>, id: string, state: SessionState): Promise<void> {
    await change.insertInto("state").values(stateRow(id, state)).execute();
    await dropStates(change, id, this.#quota);
  }
}

/** Writes the size of a session whose messages were changed. */
async function measure(change: Transaction<Tables>, id: string): Promise<number> {
  const { size } = await change
    .updateTable("session")
    .set({ size: sizeOfSession })
    .where("id", "=", id)
    .returning("size")
    .executeTakeFirstOrThrow();
  return size;
}

/** Rows of one statement: databases bound its parameters. */
const rowsAtOnce = 500;

async function insertMessages(
  change: Transaction<Tables>,
  id: string,
  from: number,
  messages: readonly SessionMessage[],
): Promise<void> {
  for (let start = 0; start < messages.length; start += rowsAtOnce) {
    const rows = messages
      .slice(start, start + rowsAtOnce)
      .map((message, i) => messageRow(id, from + start + i, message));
    await change.insertInto("message").values(rows).execute();
  }
}

function notFound(id: string): ApiError {
  return new ApiError(404, `the session "${id}" does not exist`, { code: "session_not_found" });
}

function changed(id: string): ApiError {
  return new ApiError(409, `the session "${id}" was changed meanwhile; read it again`, {
    code: "session_changed",
  });
}
