import type { ConversationMessage, ToolDefinition } from "@levin/tokenizer";

/** A conversation on the server. Times are milliseconds since 1970. */
export interface Session {
  id: string;
  title: string | null;
  metadata: Record<string, string>;
  /** Tools that its first turn named; they stand before all messages. */
  tools: readonly ToolDefinition[] | null;
  /** Name and fingerprint of the model that its tokens and states are of. */
  model: string;
  fingerprint: string;
  version: number;
  messageCount: number;
  tokenCount: number;
  /** Bytes of its messages, their token ids and its tools. */
  size: number;
  createdAt: number;
  updatedAt: number;
}

/** What is told of a new session. */
export type NewSession = Pick<Session, "title" | "metadata" | "tools" | "model" | "fingerprint">;

export interface SessionMessage {
  message: ConversationMessage;
  /** Its token ids, marks included, exactly as the model read or said them; null: still to be found. */
  tokens: readonly number[] | null;
  createdAt: number;
}

/** What a model remembers after a message. */
export interface SessionState {
  /** Position of the message. */
  position: number;
  /** Tokens of the session that were read, from the first; an answer's last one is not among them. */
  tokens: number;
  bytes: Uint8Array;
}
