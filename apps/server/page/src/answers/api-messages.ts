import type { Answer, Message, Question } from "../chats/conversation.ts";
import type { ApiMessage } from "./answer-source.ts";

/**
 * The turns that lead to an answer. An answer that failed, for its length say, would fail the next
 * ones too, so it is left out with its question.
 */
export function apiMessages(path: readonly Message[]): ApiMessage[] {
  return path
    .filter((message, index) => {
      const next = path[index + 1];
      if (message.role === "assistant") return isUsable(message);
      return next?.role !== "assistant" || isUsable(next);
    })
    .map(toApi);
}

function isUsable({ state, text, toolCalls }: Answer): boolean {
  return state !== "failed" && (text !== "" || toolCalls.length > 0);
}

function toApi(message: Message): ApiMessage {
  if (message.role === "user") return { role: "user", content: questionText(message) };
  if (message.role === "tool") {
    const { id, name } = message.call;
    return { role: "tool", content: message.text, tool_call_id: id, name };
  }
  return {
    role: "assistant",
    content: message.text,
    ...(message.toolCalls.length > 0 && {
      tool_calls: message.toolCalls.map(({ id, name, arguments: written }) => ({
        id,
        type: "function" as const,
        function: { name, arguments: written },
      })),
    }),
  };
}

/** What the model reads of a question: its files first, so that the request itself comes last. */
function questionText({ text, attachments }: Pick<Question, "text" | "attachments">): string {
  const files = attachments.map(({ name, text: content }) => `${name}:\n\n${content}`);
  return [...files, text].filter((part) => part !== "").join("\n\n");
}
