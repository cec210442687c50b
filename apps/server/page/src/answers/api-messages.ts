import type { Message, Question } from "../chats/conversation.ts";
import { isQuestion, turnsOf, type Step } from "../chats/turns.ts";
import type { ApiMessage } from "./answer-source.ts";

/**
 * The turns that lead to an answer. An answer that failed, for its length say, would fail the next
 * ones too, so it is left out with its question.
 */
export function apiMessages(path: readonly Message[]): ApiMessage[] {
  const turns = turnsOf(path);
  return turns.flatMap((turn, index): ApiMessage[] => {
    if (!isQuestion(turn)) return isUsable(turn) ? turn.flatMap(toApi) : [];
    const next = turns[index + 1];
    const isLeftOut = next && !isQuestion(next) && !isUsable(next);
    return isLeftOut ? [] : [{ role: "user", content: questionText(turn) }];
  });
}

/** Whether its last step says something, or waits for what follows the results of its calls. */
function isUsable(steps: readonly Step[]): boolean {
  const { answer, results } = steps.at(-1)!;
  return answer.state !== "failed" && (answer.text !== "" || results.length > 0);
}

/** Calls that nobody gave a result for are left out: engines want one for each. */
function toApi({ answer, results }: Step): ApiMessage[] {
  return [
    {
      role: "assistant",
      content: answer.text,
      ...(results.length > 0 && {
        tool_calls: results.map(({ call: { id, name, arguments: written } }) => ({
          id,
          type: "function" as const,
          function: { name, arguments: written },
        })),
      }),
    },
    ...results.map(({ call: { id, name }, text }) => ({
      role: "tool" as const,
      content: text,
      tool_call_id: id,
      name,
    })),
  ];
}

/** What the model reads of a question: its files first, so that the request itself comes last. */
function questionText({ text, attachments }: Pick<Question, "text" | "attachments">): string {
  const files = attachments.map(({ name, text: content }) => `${name}:\n\n${content}`);
  return [...files, text].filter((part) => part !== "").join("\n\n");
}
