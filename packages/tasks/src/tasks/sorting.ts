import { answeredNumbers } from "../final-answer.ts";
import { scaled, type Task } from "../task.ts";

type Direction = "ascending" | "descending";

const PHRASINGS: Record<Direction, readonly ((list: string) => string)[]> = {
  ascending: [
    (list) => `Sort these numbers in ascending order: ${list}.`,
    (list) => `Sort from smallest to largest: ${list}.`,
    (list) => `Put these numbers in order, smallest first: ${list}.`,
    (list) => `Write these numbers from low to high: ${list}.`,
  ],
  descending: [
    (list) => `Sort these numbers in descending order: ${list}.`,
    (list) => `Sort from largest to smallest: ${list}.`,
    (list) => `Put these numbers in order, largest first: ${list}.`,
    (list) => `Write these numbers from high to low: ${list}.`,
  ],
};

/** Lists of three to eight different numbers below 100. */
export const sorting: Task = {
  name: "sorting",
  description: "Sort three to eight numbers below 100, ascending or descending.",
  generate(random, difficulty) {
    const count = scaled(difficulty, 3, 8);
    const below = scaled(difficulty, 10, 100);
    const numbers = random.sample(
      Array.from({ length: below }, (_, number) => number),
      count,
    );
    const direction: Direction = random.pick(["ascending", "descending"] as const);
    const { lines, sorted } = insertOneByOne(numbers, direction);
    const truth = numbers.toSorted((a, b) => (direction === "ascending" ? a - b : b - a));
    return {
      task: "sorting",
      key: `${direction} ${numbers.join(" ")}`,
      prompt: random.pick(PHRASINGS[direction])(numbers.join(", ")),
      thinking: lines.join("\n"),
      answer: sorted.join(" "),
      verify: (text) => {
        const found = answeredNumbers(text);
        return found.length === truth.length && truth.every((value, i) => value === found[i]);
      },
    };
  },
};

/**
 * Insertion sort: each line takes the next number of the list and writes the sorted list with it.
 * Every choice compares just two numbers, which is easier to learn than the least of many.
 */
function insertOneByOne(
  numbers: readonly number[],
  direction: Direction,
): { lines: string[]; sorted: number[] } {
  const lines: string[] = [direction];
  const sorted: number[] = [];
  for (const next of numbers) {
    const after = sorted.findIndex((kept) =>
      direction === "ascending" ? kept > next : kept < next,
    );
    sorted.splice(after < 0 ? sorted.length : after, 0, next);
    lines.push(`${next}: ${sorted.join(" ")}`);
  }
  return { lines, sorted };
}
