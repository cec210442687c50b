import type { Answer, Message, ToolCall, ToolResult } from "../chats/conversation.ts";
import { newId } from "../chats/new-id.ts";
import { resultOf } from "./run-tools.ts";

/** Answers to one question that may call tools by themselves; a model that never stops calling must. */
const longestChain = 8;

/** Results as messages that follow an answer, each the one before. */
export function toolResults(
  answerId: string,
  results: readonly { call: ToolCall; text: string }[],
): ToolResult[] {
  let parent = answerId;
  return results.map(({ call, text }) => {
    const message = { id: newId(), parent, role: "tool" as const, call, text };
    parent = message.id;
    return message;
  });
}

/**
 * What tools say to an answer that calls them; none when it calls none, when somebody has to stand in
 * for one, or after too many such answers.
 *
 * @param path the messages that led to the answer
 */
export function automaticResults(path: readonly Message[], answer: Answer): ToolResult[] {
  const { state, toolCalls } = answer;
  const asked = path.findLastIndex(({ role }) => role === "user");
  const chain = path.slice(asked + 1).filter(({ role }) => role === "assistant").length;
  if (state !== "done" || chain >= longestChain) return [];
  const results = toolCalls.map((call) => ({ call, text: resultOf(call) }));
  const known = results.filter(
    (result): result is { call: ToolCall; text: string } => result.text !== undefined,
  );
  return known.length < results.length ? [] : toolResults(answer.id, known);
}
