import type { Random } from "./random.ts";

/** One question with a worked-out thought, its answer, and a check of any other answer. */
export interface Problem {
  /** Name of the task it came from. */
  task: string;
  /** What is asked, without its wording: the same numbers or words always have the same key. */
  key: string;
  /** The question in plain English. */
  prompt: string;
  /** The steps towards the answer, one a line; the last line contains the answer. */
  thinking: string;
  /** The bare answer: "42", "3 7 12". */
  answer: string;
  /** Whether a reply (with or without its thought) ends in a right answer; never throws. */
  verify(answerText: string): boolean;
}

/**
 * A family of problems.
 *
 *     const problem = addition.generate(createRandom(1), 0.5);
 *     problem.verify(problem.answer); // true
 */
export interface Task {
  readonly name: string;
  /** One sentence for people. */
  readonly description: string;
  /** Makes a problem; `difficulty` from 0 (shortest) to 1 (longest). */
  generate(random: Random, difficulty: number): Problem;
}

/** The whole number at `difficulty` of the way from `easiest` to `hardest`. */
export function scaled(difficulty: number, easiest: number, hardest: number): number {
  return Math.round(easiest + (hardest - easiest) * difficulty);
}

/** A number with exactly `digits` digits; a single digit may be 0. */
export function numberWithDigits(random: Random, digits: number): number {
  return random.integer(digits === 1 ? 0 : 10 ** (digits - 1), 10 ** digits - 1);
}
