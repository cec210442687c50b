import { generateProblem, type ProblemOptions } from "./problem-split.ts";
import { createRandom } from "./random.ts";
import type { Problem, Task } from "./task.ts";

/** Accuracy of a task with the bounds of its 95 % Wilson interval. */
export interface Score {
  task: string;
  count: number;
  correct: number;
  accuracy: number;
  lower: number;
  upper: number;
}

/** The score of a task with what was missed. */
export interface Evaluation extends Score {
  /** The problems that were answered wrongly, with the replies. */
  misses: { problem: Problem; reply: string }[];
}

/** Options of {@link evaluateTask}; problems are held-out ones unless told otherwise. */
export interface EvaluationOptions extends ProblemOptions {
  count: number;
  seed: number;
}

/** The problems that {@link evaluateTask} asks. Throws DifficultyError, SplitError. */
export function evaluationProblems(task: Task, options: EvaluationOptions): Problem[] {
  const { count, seed, split = "held-out", ...rest } = options;
  const random = createRandom(seed);
  return Array.from({ length: count }, () => generateProblem(task, random, { split, ...rest }));
}

/**
 * Asks `count` problems of a task and counts the right replies. All are asked at once, so that a
 * batch can answer many together; an answerer that can't must queue them itself.
 */
export async function evaluateTask(
  task: Task,
  answer: (prompt: string, problem: Problem) => Promise<string>,
  options: EvaluationOptions,
): Promise<Evaluation> {
  const problems = evaluationProblems(task, options);
  const replies = await Promise.all(problems.map((problem) => answer(problem.prompt, problem)));
  const misses = problems
    .map((problem, i) => ({ problem, reply: replies[i]! }))
    .filter(({ problem, reply }) => !problem.verify(reply));
  const { length: count } = problems;
  const correct = count - misses.length;
  return { ...scoreOf(task.name, correct, count), misses };
}

/** The score of `correct` right answers of `count`. */
export function scoreOf(task: string, correct: number, count: number): Score {
  return { task, count, correct, ...wilsonInterval(correct, count) };
}

/** The 97.5 % point of the standard normal distribution. */
const NORMAL_POINT = 1.959964;

/** Share of `correct` in `count` and its 95 % interval (Wilson 1927); 0 to 1 when nothing was asked. */
export function wilsonInterval(
  correct: number,
  count: number,
): { accuracy: number; lower: number; upper: number } {
  if (count === 0) return { accuracy: 0, lower: 0, upper: 1 };
  const accuracy = correct / count;
  const spread = NORMAL_POINT ** 2 / count;
  const middle = (accuracy + spread / 2) / (1 + spread);
  const radius =
    (NORMAL_POINT * Math.sqrt((accuracy * (1 - accuracy)) / count + spread / (4 * count))) /
    (1 + spread);
  return { accuracy, lower: Math.max(0, middle - radius), upper: Math.min(1, middle + radius) };
}
