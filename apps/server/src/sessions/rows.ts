import type { ConversationMessage, ToolDefinition } from "@levin/tokenizer";
import { sql, type Insertable, type Selectable } from "kysely";
import type { Tables } from "./schema.ts";
import type { Session, SessionMessage, SessionState } from "./session.ts";

export function sessionOf(row: Selectable<Tables["session"]>): Session {
  return {
    id: row.id,
    title: row.title,
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    tools: row.tools === null ? null : (JSON.parse(row.tools) as ToolDefinition[]),
    model: row.model,
    fingerprint: row.fingerprint,
    version: row.version,
    messageCount: row.message_count,
    tokenCount: row.token_count,
    size: row.size,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** The columns of a title. */
export function titleColumns(title: string | null): { title: string | null; title_key: string } {
  return { title: title && columnText(title), title_key: searchKey(title ?? "") };
}

/** Text as every database keeps and looks it up: PostgreSQL refuses NUL, SQLite ends texts there. */
export function columnText(text: string): string {
  return text.replaceAll("\0", "\uFFFD");
}

/** Text that is equal for texts that differ in case alone. */
export function searchKey(text: string): string {
  return columnText(text).normalize("NFKC").toLowerCase();
}

export function messageOf(row: Selectable<Tables["message"]>): SessionMessage {
  return {
    message: JSON.parse(row.body) as ConversationMessage,
    tokens: row.tokens === null ? null : idsOf(bytesOf(row.tokens)),
    createdAt: row.created_at,
  };
}

export function messageRow(
  id: string,
  position: number,
  { message, tokens, createdAt }: SessionMessage,
): Insertable<Tables["message"]> {
  return {
    session_id: id,
    position,
    body: JSON.stringify(message),
    tokens: tokens && idBytes(tokens),
    created_at: createdAt,
  };
}

export function stateOf(
  row: Pick<Selectable<Tables["state"]>, "position" | "tokens" | "bytes">,
): SessionState {
  return { position: row.position, tokens: row.tokens, bytes: bytesOf(row.bytes) };
}

export function stateRow(id: string, { position, tokens, bytes }: SessionState) {
  const owner = sql<string>`(SELECT owner FROM session WHERE id = ${id})`;
  const size = bytes.byteLength;
  const created_at = Date.now();
  return { session_id: id, owner, position, tokens, size, created_at, bytes: Buffer.from(bytes) };
}

/** Tokens of all messages; those still to be found are not counted. */
export function countTokens(messages: readonly SessionMessage[]): number {
  return messages.reduce((sum, { tokens }) => sum + (tokens?.length ?? 0), 0);
}

/** SQLite gives an ArrayBuffer, PostgreSQL a Buffer. */
function bytesOf(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function idBytes(ids: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * ids.length);
  let end = 0;
  for (const id of ids) end = bytes.writeUInt32LE(id, end);
  return bytes;
}

function idsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getUint32(4 * i, true));
}
