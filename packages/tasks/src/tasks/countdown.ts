import { readExpression } from "../expression.ts";
import { finalAnswer } from "../final-answer.ts";
import type { Random } from "../random.ts";
import { scaled, type Task } from "../task.ts";
import { searchCountdown } from "./countdown-search.ts";

const PHRASINGS: readonly ((list: string, target: number) => string)[] = [
  (list, target) => `Use ${list}, each at most once, with +, - and * to make ${target}.`,
  (list, target) => `Combine ${list} with +, - or *, each at most once, to get ${target}.`,
  (list, target) => `Using each of ${list} at most once with + - *, how can you make ${target}?`,
];

/** An expression of some given numbers that has a given value; many answers may be right. */
export const countdown: Task = {
  name: "countdown",
  description: "Reach a target with + - * from three to five numbers, each used at most once.",
  generate(random, difficulty) {
    const { numbers, target, lines, answer } = drawSolved(random, difficulty);
    return {
      task: "countdown",
      key: `${numbers.toSorted((a, b) => a - b).join(" ")} to ${target}`,
      prompt: random.pick(PHRASINGS)(numbers.join(", "), target),
      thinking: lines.join("\n"),
      answer,
      verify: (text) => reaches(target, numbers, text),
    };
  },
};

/** Whether the answer, perhaps with "= target" behind it, has the value and uses only the numbers. */
function reaches(target: number, numbers: readonly number[], text: string): boolean {
  const [expression = "", claimed = String(target), ...more] = finalAnswer(text).split("=");
  const read = readExpression(expression);
  if (read?.value !== target || Number(claimed) !== target || more.length > 0) return false;
  const unused = [...numbers];
  return read.numbers.every((number) => {
    const place = unused.indexOf(number);
    if (place >= 0) unused.splice(place, 1);
    return place >= 0;
  });
}

interface Solved {
  numbers: number[];
  target: number;
  lines: string[];
  answer: string;
}

/** Draws problems until the search solves one within the length that the difficulty allows. */
function drawSolved(random: Random, difficulty: number): Solved {
  const count = scaled(difficulty, 3, 5);
  const most = scaled(difficulty, 9, 12);
  const [shortest, longest] = [scaled(difficulty, 0, 250), scaled(difficulty, 260, 1000)];
  for (;;) {
    const numbers = Array.from({ length: count }, () => random.integer(1, most));
    const target = drawTarget(random, numbers, scaled(difficulty, 40, 99));
    const found = target && searchCountdown(numbers, target, longest);
    if (found && found.lines.join("\n").length >= shortest) return { numbers, target, ...found };
  }
}

/** The value of a random chain of all the numbers; undefined when it is out of range or given. */
function drawTarget(random: Random, numbers: readonly number[], most: number): number | undefined {
  const target = random.sample(numbers, numbers.length).reduce((value, number) => {
    const sign = random.pick(["+", "-", "*"] as const);
    if (sign === "*") return value * number;
    return sign === "+" ? value + number : value - number;
  });
  return target > 0 && target <= most && !numbers.includes(target) ? target : undefined;
}
