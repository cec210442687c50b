import { PostgresAdapter, sql, type Generated, type Kysely, type Migration } from "kysely";

/** Bytes as each database takes and gives them. */
type Bytes = Uint8Array | ArrayBuffer;

/** Times are milliseconds since 1970. */
export interface Tables {
  session: {
    id: string;
    /** Id of the API key that it belongs to; empty without keys. */
    owner: string;
    title: string | null;
    /** The title as it is searched for: folded to lower case, which databases do for ASCII alone. */
    title_key: string;
    /** JSON object of strings. */
    metadata: string;
    /** JSON list of the tools that its first turn named, or null. */
    tools: string | null;
    /** Name and fingerprint of the model that its tokens and states are of. */
    model: string;
    fingerprint: string;
    /** Grows with each change of the messages. */
    version: Generated<number>;
    message_count: number;
    token_count: number;
    /** Bytes of its messages, their token ids and its tools. */
    size: Generated<number>;
    created_at: number;
    updated_at: number;
  };
  message: {
    session_id: string;
    /** 0, 1, 2 … */
    position: number;
    /** JSON of the message in OpenAI's form. */
    body: string;
    /** Its token ids, uint32 little-endian, marks included; null when they are still to be found. */
    tokens: Bytes | null;
    created_at: number;
  };
  state: {
    session_id: string;
    /** Of its session: states are shared out among owners. */
    owner: string;
    /** Of the message after which it is. */
    position: number;
    /** Tokens of the session that it has read, from the first. */
    tokens: number;
    size: number;
    created_at: number;
    bytes: Bytes;
  };
  response: {
    id: string;
    /** Id of the API key that it belongs to; empty without keys. */
    owner: string;
    /** JSON list of all items before its output, those of earlier responses too. */
    input: string;
    /** JSON of the response as clients get it. */
    body: string;
    /** Bytes of both. */
    size: number;
    created_at: number;
  };
}

/** The bytes of a session's messages and tools, for its own column. */
export const sizeOfSession = sql<number>`coalesce(octet_length(session.tools), 0) + (
  SELECT coalesce(sum(octet_length(body) + coalesce(octet_length(tokens), 0)), 0)
  FROM message WHERE session_id = session.id
)`;

/** Names are those under which databases remember what was applied. */
export const migrations: Record<string, Migration> = {
  "0001_sessions": { up: createSessions },
  "0002_responses": { up: createResponses },
  "0003_session_sizes": { up: addSessionSizes },
  "0004_state_owners": { up: addStateOwners },
};

async function createSessions(db: Kysely<never>): Promise<void> {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter;
  const bytes = sql.raw(isPostgres ? "bytea" : "blob");
  await db.schema
    .createTable("session")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("owner", "text", (column) => column.notNull())
    .addColumn("title", "text")
    .addColumn("title_key", "text", (column) => column.notNull())
    .addColumn("metadata", "text", (column) => column.notNull())
    .addColumn("tools", "text")
    .addColumn("model", "text", (column) => column.notNull())
    .addColumn("fingerprint", "text", (column) => column.notNull())
    .addColumn("version", "integer", (column) => column.notNull().defaultTo(0))
    .addColumn("message_count", "integer", (column) => column.notNull())
    .addColumn("token_count", "integer", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("updated_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("session_newest")
    .on("session")
    .columns(["owner", "updated_at", "id"])
    .execute();
  await db.schema
    .createTable("message")
    .addColumn("session_id", "text", (column) =>
      column.notNull().references("session.id").onDelete("cascade"),
    )
    .addColumn("position", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("tokens", bytes)
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("message_key", ["session_id", "position"])
    .execute();
  await db.schema
    .createTable("state")
    .addColumn("session_id", "text", (column) =>
      column.notNull().references("session.id").onDelete("cascade"),
    )
    .addColumn("position", "integer", (column) => column.notNull())
    .addColumn("tokens", "integer", (column) => column.notNull())
    .addColumn("size", "integer", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("bytes", bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint("state_key", ["session_id", "position"])
    .execute();
  // Quotas are reckoned from it without touching the bytes.
  await db.schema.createIndex("state_oldest").on("state").columns(["created_at", "size"]).execute();
}

async function createResponses(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable("response")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("owner", "text", (column) => column.notNull())
    .addColumn("input", "text", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("size", "integer", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
  // Quotas are reckoned from them without touching the texts.
  await db.schema
    .createIndex("response_newest")
    .on("response")
    .columns(["owner", "created_at", "size"])
    .execute();
  await db.schema.createIndex("response_oldest").on("response").column("created_at").execute();
}

async function addSessionSizes(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable("session")
    .addColumn("size", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
  await sql`UPDATE session SET size = ${sizeOfSession}`.execute(db);
  await db.schema.createIndex("session_size").on("session").columns(["owner", "size"]).execute();
}

async function addStateOwners(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable("state")
    .addColumn("owner", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  await sql`
    UPDATE state SET owner = (SELECT owner FROM session WHERE id = session_id)`.execute(db);
  // Shares are reckoned from it without touching the bytes.
  await db.schema
    .createIndex("state_shares")
    .on("state")
    .columns(["owner", "created_at", "size"])
    .execute();
}
