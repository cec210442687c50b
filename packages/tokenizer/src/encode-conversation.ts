import { encodeChat, type ChatMessage, type ToolDefinition } from "./chat-template.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { TokenizerError } from "./tokenizer-file.ts";
import { toolCallPieces, toolResultName } from "./tool-calls.ts";

/** A message to learn from, in OpenAI's form; `reasoning_content` is the thought before an answer. */
export interface ConversationMessage extends ChatMessage {
  reasoning_content?: string | null | undefined;
}

/**
 * Token ids of a whole conversation, with 1 for those that the assistant says, its end mark included.
 * An answer without a thought gets an empty one if the tokenizer knows thoughts.
 *
 * @throws TokenizerError when the template fails, or does not write a conversation as the beginning
 *   of a longer one (M1's moves later system messages to the front)
 */
export function encodeConversation(
  tokenizer: Tokenizer,
  messages: readonly ConversationMessage[],
  { template, tools = [] }: { template: string; tools?: readonly ToolDefinition[] },
): { ids: number[]; learned: number[] } {
  // What is said is put in by itself: the template would quote the marks of thoughts.
  const silent = messages.map((message) => ({
    role: message.role,
    content: message.role === "assistant" ? "" : message.content,
    ...(message.role === "tool" && { name: toolResultName(message, messages) }),
  }));
  const framed = (count: number, addGenerationPrompt: boolean): number[] =>
    encodeChat(tokenizer, silent.slice(0, count), { template, tools, addGenerationPrompt });
  const ids: number[] = [];
  const learned: number[] = [];
  const add = (more: readonly number[], mark: number): void => {
    for (const id of more) {
      ids.push(id);
      learned.push(mark);
    }
  };
  let before: number[] = [];
  const addFrame = (next: readonly number[]): void => {
    if (before.some((id, i) => next[i] !== id)) {
      throw new TokenizerError(
        "chat template: expected a conversation that only grows at its end, found one that changes before",
      );
    }
    const [end, ...rest] = next.slice(before.length);
    // After an answer comes the mark that ends it.
    if (end !== undefined) add([end], before.length > 0 ? 1 : 0);
    add(rest, 0);
    before = [...next];
  };
  for (const [i, message] of messages.entries()) {
    if (message.role !== "assistant") continue;
    addFrame(framed(i, true));
    add(encodeReply(tokenizer, message), 1);
  }
  const last = messages.at(-1)?.role === "assistant";
  if (last) addFrame(framed(messages.length, false));
  return { ids, learned };
}

/**
 * Token ids of what the assistant says in a message: thought, answer and calls, without an end mark.
 * @throws TokenizerError when the arguments of a call are not JSON
 */
export function encodeReply(tokenizer: Tokenizer, message: ConversationMessage): number[] {
  const { content, reasoning_content: thought, tool_calls: calls } = message;
  const said = typeof content === "string" ? content : content.map((part) => part.text).join("");
  const called = calls && calls.length > 0 ? toolCallPieces(calls) : [];
  const answer = [said !== "" && called.length > 0 ? `${said}\n` : said, ...called];
  const marks = [{ mark: "<think>" }, { mark: "</think>" }] as const;
  const thinks = marks.every(({ mark }) => tokenizer.tokenToId(mark) !== undefined);
  if (!thinks) return encodePieces(tokenizer, answer);
  const inner = thought ? `\n${thought}\n` : "\n";
  return encodePieces(tokenizer, [marks[0], inner, marks[1], "\n\n", ...answer]);
}

/** Texts, and marks that are one token where the tokenizer has one for them. */
function encodePieces(tokenizer: Tokenizer, pieces: readonly (string | { mark: string })[]) {
  const ids: number[] = [];
  // Text on both sides of a mark that is none is encoded together.
  let text = "";
  const flush = (): void => {
    if (text !== "") ids.push(...tokenizer.encode(text, { parseSpecialTokens: false }));
    text = "";
  };
  for (const piece of pieces) {
    const id = typeof piece === "string" ? undefined : tokenizer.tokenToId(piece.mark);
    if (id === undefined) {
      text += typeof piece === "string" ? piece : piece.mark;
      continue;
    }
    flush();
    ids.push(id);
  }
  flush();
  return ids;
}
