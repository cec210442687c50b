import { compareDigits } from "../digit-comparison.ts";
import { answersNumber } from "../final-answer.ts";
import type { Random } from "../random.ts";
import { numberWithDigits, scaled, type Task } from "../task.ts";

type Direction = "larger" | "smaller";

const PHRASINGS: Record<Direction, readonly ((list: string) => string)[]> = {
  larger: [
    (list) => `Which number is larger: ${list}?`,
    (list) => `Which is greater: ${list}?`,
    (list) => `Find the largest number: ${list}.`,
    (list) => `Which of these numbers is the biggest: ${list}?`,
  ],
  smaller: [
    (list) => `Which number is smaller: ${list}?`,
    (list) => `Which is less: ${list}?`,
    (list) => `Find the smallest number: ${list}.`,
    (list) => `Which of these numbers is the least: ${list}?`,
  ],
};

/** The larger or smaller one of two or three different numbers. */
export const comparison: Task = {
  name: "comparison",
  description: "Name the larger or smaller one of two or three whole numbers.",
  generate(random, difficulty) {
    const count = random.chance(difficulty * 0.6) ? 3 : 2;
    const numbers = differentNumbers(random, count, scaled(difficulty, 1, 6));
    const direction: Direction = random.pick(["larger", "smaller"] as const);
    const list = `${numbers.slice(0, -1).join(", ")} or ${numbers.at(-1)}`;
    const { lines, kept } = workOut(numbers, direction);
    const truth = direction === "larger" ? Math.max(...numbers) : Math.min(...numbers);
    return {
      task: "comparison",
      key: `${direction} ${numbers.join(" ")}`,
      prompt: random.pick(PHRASINGS[direction])(list),
      thinking: lines.join("\n"),
      answer: String(kept),
      verify: (text) => answersNumber(text, truth),
    };
  },
};

/** Compares the number kept so far with the next one, until none is left. */
function workOut(
  numbers: readonly number[],
  direction: Direction,
): { lines: string[]; kept: number } {
  const [first = 0, ...others] = numbers;
  const lines: string[] = [];
  let kept = first;
  for (const next of others) {
    const result = compareDigits(kept, next);
    if ((result.sign === "<") === (direction === "larger")) kept = next;
    lines.push(...result.lines, `${direction} ${kept}`);
  }
  return { lines, kept };
}

/** Different numbers; half of the later ones share leading digits with the first. */
function differentNumbers(random: Random, count: number, most: number): number[] {
  const numbers = new Set<number>();
  const first = numberWithDigits(random, random.integer(Math.max(1, most - 1), most));
  numbers.add(first);
  while (numbers.size < count) {
    const tail = 10 ** random.integer(1, String(first).length);
    const near = Math.floor(first / tail) * tail + random.integer(0, tail - 1);
    const digits = random.integer(Math.max(1, most - 1), most);
    numbers.add(random.chance(0.5) ? near : numberWithDigits(random, digits));
  }
  return random.sample([...numbers], count);
}
