import { z } from "zod";
import { pageOf } from "../api/openapi.ts";
import type { Session, SessionMessage } from "./session.ts";
import { messageSchema } from "./session-file.ts";
import { seconds } from "../api/seconds.ts";

const count = z.int().min(0);

/** A session in the API; times in seconds, as everywhere in OpenAI's. */
export const sessionSchema = z
  .object({
    id: z.string(),
    object: z.literal("session"),
    created_at: z.int(),
    updated_at: z.int(),
    title: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    model: z.string(),
    message_count: count,
    token_count: count,
    bytes: count,
  })
  .meta({ id: "Session" });

/** A session with all that was said, and the states that are kept of it. */
export const wholeSessionSchema = sessionSchema
  .extend({
    messages: z.array(
      messageSchema.extend({ index: count, tokens: count.nullable(), created_at: z.int() }),
    ),
    states: z.array(z.object({ message: count, tokens: count, bytes: count })),
  })
  .meta({ id: "WholeSession" });

export const importedSchema = sessionSchema
  .extend({
    /** What became of the state in the file. */
    imported: z.object({
      state: z.enum(["none", "kept", "dropped"]),
      reason: z.string().optional(),
    }),
  })
  .meta({ id: "ImportedSession" });

/** A page of sessions. */
export const sessionPageSchema = pageOf(sessionSchema);

type SessionForm = z.output<typeof sessionSchema>;

export function sessionForm(session: Session): SessionForm {
  return {
    id: session.id,
    object: "session",
    created_at: seconds(session.createdAt),
    updated_at: seconds(session.updatedAt),
    title: session.title,
    metadata: session.metadata,
    model: session.model,
    message_count: session.messageCount,
    token_count: session.tokenCount,
    bytes: session.size,
  };
}

export function wholeSessionForm(
  session: Session,
  messages: readonly SessionMessage[],
  states: readonly { position: number; tokens: number; size: number }[],
): object {
  return {
    ...sessionForm(session),
    messages: messages.map(({ message, tokens, createdAt }, index) => ({
      index,
      ...message,
      tokens: tokens?.length ?? null,
      created_at: seconds(createdAt),
    })),
    states: states.map(({ position, tokens, size }) => ({
      message: position,
      tokens,
      bytes: size,
    })),
  };
}

export function listForm(
  sessions: readonly Session[],
  hasMore: boolean,
): z.output<typeof sessionPageSchema> {
  return {
    object: "list",
    data: sessions.map(sessionForm),
    first_id: sessions[0]?.id ?? null,
    last_id: sessions.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
