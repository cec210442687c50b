import type { Session, SessionMessage } from "./session.ts";

/** A session in the API; times in seconds, as everywhere in OpenAI's. */
export function sessionForm(session: Session): object {
  return {
    id: session.id,
    object: "session",
    created_at: Math.floor(session.createdAt / 1000),
    updated_at: Math.floor(session.updatedAt / 1000),
    title: session.title,
    metadata: session.metadata,
    model: session.model,
    message_count: session.messageCount,
    token_count: session.tokenCount,
    bytes: session.size,
  };
}

/** A session with all that was said, and the states that are kept of it. */
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
      created_at: Math.floor(createdAt / 1000),
    })),
    states: states.map(({ position, tokens, size }) => ({
      message: position,
      tokens,
      bytes: size,
    })),
  };
}

/** A page of sessions, in the form of OpenAI's lists. */
export function listForm(sessions: readonly Session[], hasMore: boolean): object {
  return {
    object: "list",
    data: sessions.map(sessionForm),
    first_id: sessions[0]?.id ?? null,
    last_id: sessions.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
