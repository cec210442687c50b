import type { Answer, Message, Question, ToolResult } from "./conversation.ts";

/** An answer, with what the tools said that it called; then the next step goes on. */
export interface Step {
  answer: Answer;
  results: readonly ToolResult[];
}

/** A question, or all steps that answer it. */
export type Turn = Question | Step[];

export function isQuestion(turn: Turn): turn is Question {
  return !Array.isArray(turn);
}

/** A way through a conversation as questions and answers. */
export function turnsOf(path: readonly Message[]): Turn[] {
  const turns: Turn[] = [];
  for (const message of path) {
    const last = turns.at(-1);
    const steps = last && !isQuestion(last) ? last : undefined;
    if (message.role === "user") turns.push(message);
    else if (message.role === "tool") {
      const step = steps?.pop();
      if (step) steps!.push({ ...step, results: [...step.results, message] });
    } else if (steps) steps.push({ answer: message, results: [] });
    else turns.push([{ answer: message, results: [] }]);
  }
  return turns;
}
