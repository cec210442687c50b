export { allTasks, registerTask, TaskError, tasksNamed, UnknownTaskError } from "./all-tasks.ts";
export { evaluateTask, evaluationProblems, scoreOf, wilsonInterval } from "./evaluation.ts";
export type { Evaluation, EvaluationOptions, Score } from "./evaluation.ts";
export { finalAnswer } from "./final-answer.ts";
export { NAMES as firstNames } from "./names.ts";
export {
  DifficultyError,
  generateProblem,
  isHeldOut,
  sampleProblem,
  SplitError,
} from "./problem-split.ts";
export type { ProblemOptions, Split } from "./problem-split.ts";
export { createRandom } from "./random.ts";
export type { Random } from "./random.ts";
export type { Problem, Task } from "./task.ts";
export { addition } from "./tasks/addition.ts";
export { arithmeticChains } from "./tasks/arithmetic-chains.ts";
export { baseConversion } from "./tasks/base-conversion.ts";
export { booleanEvaluation } from "./tasks/boolean-evaluation.ts";
export { comparison } from "./tasks/comparison.ts";
export { copying } from "./tasks/copying.ts";
export { countdown } from "./tasks/countdown.ts";
export { dateArithmetic } from "./tasks/date-arithmetic.ts";
export { knightsAndKnaves } from "./tasks/knights-and-knaves.ts";
export { letterCounting } from "./tasks/letter-counting.ts";
export { mazePath } from "./tasks/maze-path.ts";
export { miniSudoku } from "./tasks/mini-sudoku.ts";
export { objectTracking } from "./tasks/object-tracking.ts";
export { recall } from "./tasks/recall.ts";
export { reversing } from "./tasks/reversing.ts";
export { sorting } from "./tasks/sorting.ts";
export { stateMachine } from "./tasks/state-machine.ts";
export { stringRewriting } from "./tasks/string-rewriting.ts";
export { subsetSum } from "./tasks/subset-sum.ts";
export { subtraction } from "./tasks/subtraction.ts";
export { syllogisms } from "./tasks/syllogisms.ts";
export { wordProblems } from "./tasks/word-problems.ts";
