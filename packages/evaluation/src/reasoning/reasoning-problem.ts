import { finalAnswer, type Problem } from "@levin/tasks";
import type { ChatTurn } from "../context/context-suite.ts";
import { boxedAnswer, isSameMathAnswer, mathAnswer, mathAnswerKey } from "./math-answer.ts";
import type { MathProblem } from "./math-problems.ts";

/** A question whose replies can be judged. */
export interface ReasoningProblem {
  /** Unique in its suite. */
  id: string;
  /** Name of a task, or of a file. */
  suite: string;
  turns: readonly ChatTurn[];
  isRight: (reply: string) => boolean;
  /** What replies must share to agree; "" abstains. */
  keyOf: (reply: string) => string;
}

/** Problems of a verifiable task, judged by its verifier. */
export function taskProblems(problems: readonly Problem[]): ReasoningProblem[] {
  return problems.map((problem, i) => ({
    ...{ id: String(i), suite: problem.task },
    turns: [{ role: "user", content: problem.prompt }],
    isRight: (reply) => problem.verify(reply),
    keyOf: finalAnswer,
  }));
}

/**
 * Problems of a file as a chat asks them, right when the answer is the same.
 *
 * @param options.instruction stands behind each question
 * @param options.examples with their solutions, asked and answered before each question
 */
export function mathReasoningProblems(
  suite: string,
  problems: readonly MathProblem[],
  options: { instruction?: string; examples?: readonly MathProblem[] } = {},
): ReasoningProblem[] {
  const { instruction = "", examples = [] } = options;
  const ask = (content: string): ChatTurn => ({ role: "user", content: content + instruction });
  const before = examples.flatMap(({ question, answer, solution }): ChatTurn[] => [
    ask(question),
    { role: "assistant", content: workedReply(answer, solution) },
  ]);
  return problems.map(({ id, question, answer }) => ({
    ...{ id, suite },
    turns: [...before, ask(question)],
    isRight: (reply) => isSameMathAnswer(mathAnswer(reply), answer),
    keyOf: (reply) => mathAnswerKey(mathAnswer(reply)),
  }));
}

function workedReply(answer: string, solution = ""): string {
  return boxedAnswer(solution) === undefined ? `${solution}\n\\boxed{${answer}}`.trim() : solution;
}
