import type { ConversationMessage, ToolDefinition } from "@levin/tokenizer";
import { ApiError } from "../api/api-error.ts";
import type { Session, SessionMessage, SessionState } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

/** What a turn asks of a session. */
export interface TurnRequest {
  /** Name of the model that is asked. */
  model: string;
  /** New messages; none answers the last one again. */
  messages: readonly ConversationMessage[];
  /** Those of the first turn count; later ones name the same, or none. */
  tools: readonly ToolDefinition[];
  isStreamed: boolean;
}

/** A turn before it is answered. */
export interface PreparedTurn<Prompt> {
  prompt: Prompt;
  /** What its model may call. */
  tools: Session["tools"];
  /** Writes the answer; when it resolves, the turn is on the disk. */
  save(answer: ConversationMessage): Promise<void>;
}

/** What a model here has of sessions beside their messages: tokens and states. */
export interface SessionMemory {
  readonly vocabSize: number;
  /**
   * Puts a state into the engine's cache.
   * @param ids all tokens of the session
   * @returns why it can't be used, or undefined
   */
  restore(id: string, ids: readonly number[], state: SessionState): Promise<string | undefined>;
}

/** Whoever answers in sessions. */
export interface Answerer<Prompt> {
  /** Of what a session that begins now is. */
  model(): Promise<Pick<Session, "model" | "fingerprint">>;
  /** None where sessions are messages alone. */
  readonly memory?: SessionMemory;
  /** @throws ApiError (400) for what can't be appended */
  prepare(
    store: SessionStore,
    session: Session,
    request: TurnRequest,
  ): Promise<PreparedTurn<Prompt>>;
}

/** Messages that a turn adds. */
export function newMessages(messages: readonly ConversationMessage[]): SessionMessage[] {
  const createdAt = Date.now();
  return messages.map((message) => ({ message, tokens: null, createdAt }));
}

/** A message to be read anew. */
export function withoutTokens(message: SessionMessage): SessionMessage {
  return { ...message, tokens: null };
}

/** @throws ApiError (400) when there is nothing to answer */
export function checkEnd(messages: readonly SessionMessage[]): void {
  const role = messages.at(-1)?.message.role;
  if (role === "user" || role === "tool") return;
  const found = role === undefined ? "no message" : `one of role ${role}`;
  throw new ApiError(
    400,
    `messages: expected a question at the end of the session, found ${found}`,
    { param: "messages" },
  );
}
