import { bestOf, majorityVote, type GenerationResult } from "@levin/model";
import { finalAnswer, scoreOf, type Problem, type Score } from "@levin/tasks";
import type { Attempt } from "./attempts.ts";

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
  return scoreOf(task, rights.filter(Boolean).length, rights.length);
}
