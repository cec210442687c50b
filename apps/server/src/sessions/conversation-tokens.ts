import {
  encodeChat,
  encodeReply,
  toolResultName,
  type ChatMessage,
  type ConversationMessage,
  type Tokenizer,
  type ToolDefinition,
} from "@levin/tokenizer";
import { ApiError } from "../api/api-error.ts";
import { checkEncoded } from "../api/prompt-length.ts";
import type { ServedModel } from "../served-model.ts";

/** A message and its token ids, marks before its text included; null: still to be found. */
export interface MessageTokens {
  message: ConversationMessage;
  tokens: readonly number[] | null;
}

/**
 * Finds the tokens of the messages that have none yet. What was read or said stays as it is,
 * thoughts included: only the frame of what follows comes from the chat template.
 *
 * @returns token ids of each message, and those that open an answer after the last one
 * @throws ApiError (400) when the template does not write a conversation as the beginning of a
 *   longer one, as M1's with a system message behind others, or for a message beyond the context
 */
export function conversationTokens(
  served: Pick<ServedModel, "tokenizer" | "chatTemplate" | "model">,
  messages: readonly MessageTokens[],
  tools: readonly ToolDefinition[],
): { tokens: (readonly number[])[]; opening: number[] } {
  const framer = new Framer(served, tools);
  const all = messages.map(({ message }) => message);
  const tokens: (readonly number[])[] = [];
  for (const [i, { message, tokens: known }] of messages.entries()) {
    const before = all.slice(0, i);
    if (known) tokens.push(known);
    else if (message.role === "assistant") {
      const opening = framer.frame(before, tokens.at(-1));
      tokens.push([...opening, ...encodeReply(served.tokenizer, message)]);
    } else {
      const name = message.role === "tool" ? toolResultName(message, all) : message.name;
      tokens.push(framer.frame(before, tokens.at(-1), { ...message, name }));
    }
  }
  return { tokens, opening: framer.frame(all, tokens.at(-1)) };
}

/** Messages that a frame can depend on, beside the system's. */
const recentMessages = 2;

class Framer {
  readonly #tokenizer: Tokenizer;
  readonly #encode: (messages: readonly ChatMessage[], addGenerationPrompt: boolean) => number[];

  constructor(
    { tokenizer, chatTemplate: template, model }: Parameters<typeof conversationTokens>[0],
    tools: readonly ToolDefinition[],
  ) {
    this.#tokenizer = tokenizer;
    const { maxPositionEmbeddings: maxTokens } = model.config;
    this.#encode = (messages, addGenerationPrompt) => {
      const options = { template, tools, addGenerationPrompt, maxTokens };
      const ids = encodeChat(tokenizer, messages, options);
      checkEncoded(ids, maxTokens, "messages", { model });
      return ids;
    };
  }

  /**
   * What the template writes after some messages: the next one, or else the opening of an answer.
   * @param last token ids of the last of them
   */
  frame(
    before: readonly ConversationMessage[],
    last: readonly number[] | undefined,
    next?: ChatMessage,
  ): number[] {
    const recent = before
      .filter(({ role }, i) => role === "system" || i >= before.length - recentMessages)
      .map(silent);
    const answered = before.at(-1)?.role === "assistant";
    const start = answered
      ? this.#encode(recent.slice(0, -1), true)
      : recent.length === 0
        ? []
        : this.#encode(recent, false);
    const whole = next ? this.#encode([...recent, next], false) : this.#encode(recent, true);
    if (start.some((id, i) => whole[i] !== id)) throw notGrowing(next);
    const rest = whole.slice(start.length);
    return answered ? this.#afterAnswer(last ?? [], rest) : rest;
  }

  /** An answer that was cut off lacks its end mark, and perhaps that of its thought. */
  #afterAnswer(answer: readonly number[], [end, ...rest]: readonly number[]): number[] {
    const [open, close] = ["<think>", "</think>"].map((mark) => this.#tokenizer.tokenToId(mark));
    const isOpen =
      open !== undefined &&
      close !== undefined &&
      answer.lastIndexOf(open) > answer.lastIndexOf(close);
    const ends = end === undefined || answer.at(-1) === end;
    return [...(isOpen ? [close] : []), ...(ends ? [] : [end]), ...rest];
  }
}

/** A message without what it says: frames do not depend on it. */
function silent({ role }: ConversationMessage): ChatMessage {
  if (role === "assistant") return { role, content: "" };
  return { role, content: ".", ...(role === "tool" && { name: "." }) };
}

function notGrowing(next: ChatMessage | undefined): ApiError {
  const found = next ? `a ${next.role} message` : "an answer";
  return new ApiError(
    400,
    `messages: expected what this model's chat template appends to a session, found ${found} ` +
      "that changes what came before; begin another session with it",
    { param: "messages", code: "not_appendable" },
  );
}
