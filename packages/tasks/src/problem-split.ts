import type { Random } from "./random.ts";
import type { Problem, Task } from "./task.ts";

/** Which side of the split a problem is on. */
export type Split = "train" | "held-out";

/** One problem in this many is held out. */
const HELD_OUT_ONE_IN = 20;
/** Far more draws than a task with problems on both sides ever needs. */
const MOST_DRAWS = 10_000;

/** A difficulty outside 0..1. */
export class DifficultyError extends RangeError {
  constructor(found: number) {
    super(`expected a difficulty from 0 to 1, found ${found}`);
    this.name = "DifficultyError";
  }
}

/** A task that never made a problem of the wanted split. */
export class SplitError extends Error {
  constructor(task: string, split: Split) {
    super(`expected a ${split} problem of ${task}, found none in ${MOST_DRAWS} draws`);
    this.name = "SplitError";
  }
}

/**
 * Whether a problem is kept out of training. It depends on the task and what is asked, not on the
 * wording, so a held-out sum is never trained on in other words.
 */
export function isHeldOut(problem: Pick<Problem, "task" | "key">): boolean {
  return hash(`${problem.task}: ${problem.key}`) % HELD_OUT_ONE_IN === 0;
}

/** Options of {@link generateProblem} and {@link sampleProblem}. */
export interface ProblemOptions {
  /** Side of the split; "train" when left out. */
  split?: Split;
  /** 0 to 1; drawn anew for each problem when left out. */
  difficulty?: number;
  /** The highest difficulty that is drawn; default 1. */
  maxDifficulty?: number;
}

/** Makes a problem of the task on the wanted side of the split. Throws DifficultyError, SplitError. */
export function generateProblem(task: Task, random: Random, options: ProblemOptions = {}): Problem {
  const { split = "train", difficulty, maxDifficulty = 1 } = options;
  for (const given of [difficulty ?? 0, maxDifficulty]) {
    if (!(given >= 0 && given <= 1)) throw new DifficultyError(given);
  }
  for (let draw = 0; draw < MOST_DRAWS; draw += 1) {
    const problem = task.generate(random, difficulty ?? random.fraction() * maxDifficulty);
    if (isHeldOut(problem) === (split === "held-out")) return problem;
  }
  throw new SplitError(task.name, split);
}

/** Makes a problem of one of the tasks, each as likely as the others. */
export function sampleProblem(
  tasks: readonly Task[],
  random: Random,
  options: ProblemOptions = {},
): Problem {
  return generateProblem(random.pick(tasks), random, options);
}

/** FNV-1a on UTF-16 code units with a final mix (murmur3's), as an unsigned 32-bit number. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
