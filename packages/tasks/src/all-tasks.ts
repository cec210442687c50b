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

/** Every task of this package. */
export const allTasks: readonly Task[] = [
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
