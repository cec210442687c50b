import { bestOf, majorityVote, type GenerationResult } from "@levin/model";
import { finalAnswer, wilsonInterval, type Evaluation, type Problem } from "@levin/tasks";
import type { Attempt } from "./attempts.ts";

/** Accuracy on some problems, with its 95 % Wilson interval. */
export type Score = Omit<Evaluation, "misses">;

/** Accuracy of each task and of all problems together. */
export interface Scores {
  tasks: Score[];
  all: Score;
}

/** Chooses one of several answers to a problem; undefined when none is fit. */
type Choice = (
  results: readonly GenerationResult[],
  problem: Problem,
) => GenerationResult | undefined;

/** The answer that most agree on. */
export const byVote: Choice = (results) =>
  majorityVote(results, ({ text }) => finalAnswer(text))?.winner;

/** A right answer if any is right (pass@N): best-of-N with the verifier as judge. */
export const byVerifier: Choice = (results, problem) =>
  bestOf(results, ({ text }) => Number(problem.verify(text)));

/** How often the chosen answer is right. */
export function scoresOf(attempts: readonly Attempt[], choose: Choice): Scores {
  const isRight = ({ problem, results }: Attempt): boolean =>
    problem.verify(choose(results, problem)?.text ?? "");
  const tasks = new Set(attempts.map(({ problem }) => problem.task));
  const ofTask = (task: string): Attempt[] =>
    attempts.filter(({ problem }) => problem.task === task);
  return {
    tasks: [...tasks].map((task) => score(task, ofTask(task).map(isRight))),
    all: score("all", attempts.map(isRight)),
  };
}

function score(task: string, rights: readonly boolean[]): Score {
  const count = rights.length;
  const correct = rights.filter(Boolean).length;
  return { task, count, correct, ...wilsonInterval(correct, count) };
}
