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
