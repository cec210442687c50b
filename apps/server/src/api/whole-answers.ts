import type { AnswerPart } from "./answer-parts.ts";
import type { AnswerStep } from "./answers.ts";
import type { AnswerEnd } from "./reply-forms.ts";
import type { ChatTokenLogprob } from "./reply-schemas.ts";

/** All parts of an answer put together. */
export interface WholeAnswer {
  reasoning: string;
  content: string;
  toolCalls: { id: string; name: string; arguments: string }[];
  logprobs: ChatTokenLogprob[];
  result: AnswerEnd;
}

/** Answers in the order of their questions. */
export async function wholeAnswers(steps: AsyncIterable<AnswerStep>): Promise<WholeAnswer[]> {
  const parts = new Map<number, AnswerPart[]>();
  const answers: WholeAnswer[] = [];
  for await (const step of steps) {
    const { choice } = step;
    const known = parts.get(choice) ?? [];
    parts.set(choice, known);
    if (step.result === undefined) known.push(step.part);
    else answers[choice] = { ...assemble(known), result: step.result };
  }
  return answers;
}

/** Parts of one answer put together. */
export function assemble(parts: readonly AnswerPart[]): Omit<WholeAnswer, "result"> {
  const answer: Omit<WholeAnswer, "result"> = {
    reasoning: "",
    content: "",
    toolCalls: [],
    logprobs: [],
  };
  for (const { reasoning = "", content = "", toolCall, logprobs = [] } of parts) {
    answer.reasoning += reasoning;
    answer.content += content;
    answer.logprobs.push(...logprobs);
    if (!toolCall) continue;
    if (toolCall.begin) answer.toolCalls.push({ ...toolCall.begin, arguments: "" });
    answer.toolCalls[toolCall.index]!.arguments += toolCall.arguments;
  }
  return answer;
}
