import type { Task } from "./task.ts";
import { addition } from "./tasks/addition.ts";
import { arithmeticChains } from "./tasks/arithmetic-chains.ts";
import { baseConversion } from "./tasks/base-conversion.ts";
import { booleanEvaluation } from "./tasks/boolean-evaluation.ts";
import { comparison } from "./tasks/comparison.ts";
import { copying } from "./tasks/copying.ts";
import { countdown } from "./tasks/countdown.ts";
import { dateArithmetic } from "./tasks/date-arithmetic.ts";
import { knightsAndKnaves } from "./tasks/knights-and-knaves.ts";
import { letterCounting } from "./tasks/letter-counting.ts";
import { mazePath } from "./tasks/maze-path.ts";
import { miniSudoku } from "./tasks/mini-sudoku.ts";
import { objectTracking } from "./tasks/object-tracking.ts";
import { recall } from "./tasks/recall.ts";
import { reversing } from "./tasks/reversing.ts";
import { sorting } from "./tasks/sorting.ts";
import { stateMachine } from "./tasks/state-machine.ts";
import { stringRewriting } from "./tasks/string-rewriting.ts";
import { subsetSum } from "./tasks/subset-sum.ts";
import { subtraction } from "./tasks/subtraction.ts";
import { syllogisms } from "./tasks/syllogisms.ts";
import { wordProblems } from "./tasks/word-problems.ts";

const tasks: Task[] = [
  addition,
  subtraction,
  comparison,
  sorting,
  letterCounting,
  reversing,
  copying,
  wordProblems,
  recall,
  arithmeticChains,
  countdown,
  booleanEvaluation,
  dateArithmetic,
  baseConversion,
  subsetSum,
  stringRewriting,
  syllogisms,
  knightsAndKnaves,
  miniSudoku,
  mazePath,
  objectTracking,
  stateMachine,
];

/** Every task of this package, and those registered since. */
export const allTasks: readonly Task[] = tasks;

/** Something that is no task, or has the name of another one. */
export class TaskError extends Error {
  override readonly name = "TaskError";
}

/**
 * Adds a task of one's own to {@link allTasks}, where it is found by its name.
 * @throws TaskError when it is no task, or another one has its name
 */
export function registerTask(task: Task): void {
  // It may come out of a file that no compiler has checked.
  const { name, description, generate } = (task ?? {}) as Partial<Task>;
  if (
    typeof name !== "string" ||
    typeof description !== "string" ||
    typeof generate !== "function"
  ) {
    throw new TaskError("task: expected an object with name, description and generate()");
  }
  const known = tasks.find((other) => other.name === name);
  if (known === task) return;
  if (known) throw new TaskError(`task: expected a name of its own, found "${name}" again`);
  tasks.push(task);
}

/** The name of a task that does not exist. */
export class UnknownTaskError extends Error {
  constructor(found: string) {
    const known = allTasks.map(({ name }) => name).join(", ");
    super(`tasks: expected some of ${known}, found "${found}"`);
    this.name = "UnknownTaskError";
  }
}

/** The tasks of these names, in that order. Throws UnknownTaskError. */
export function tasksNamed(names: readonly string[]): Task[] {
  return names.map((name) => {
    const found = allTasks.find((task) => task.name === name);
    if (!found) throw new UnknownTaskError(name);
    return found;
  });
}
