import type { PromptRead, ToolCall } from "../chats/conversation.ts";

/** A tool call as the API takes it back. */
interface ApiToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

/** One turn of a conversation, in OpenAI's form. */
export type ApiMessage =
  | { role: "user"; content: string }
  | { role: "assistant"; content: string; tool_calls?: ApiToolCall[] }
  | { role: "tool"; content: string; tool_call_id: string; name: string };

/** A piece of an answer. */
export interface Delta {
  thought?: string;
  answer?: string;
  /** Pieces of tool calls by their number; arguments are to be joined. */
  toolCalls?: ({ index: number } & Partial<ToolCall>)[];
  usage?: {
    promptTokens: number;
    cachedTokens: number;
    completionTokens: number;
    reasoningTokens: number;
  };
  read?: PromptRead;
}

export interface AskOptions {
  model: string;
  /** Tokens; null is no limit. */
  thinkingBudget: number | null;
  /** Functions that the model may call, in OpenAI's form. */
  tools: readonly unknown[];
  signal: AbortSignal;
}

/** Where answers come from: the server, or a model in this tab. */
export interface AnswerSource {
  /** @throws Error with words for the reader */
  stream(messages: readonly ApiMessage[], options: AskOptions): AsyncGenerator<Delta>;
  /** Tokens of a text; undefined when only an estimate is possible. */
  countTokens(text: string, model: string, signal: AbortSignal): Promise<number | undefined>;
}
