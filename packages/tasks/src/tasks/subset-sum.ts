import { answeredNumbers, finalAnswer } from "../final-answer.ts";
import type { Random } from "../random.ts";
import { scaled, type Task } from "../task.ts";

const PHRASINGS: readonly ((list: string, target: number) => string)[] = [
  (list, target) => `Which of the numbers ${list} add up to ${target}?`,
  (list, target) => `Pick numbers from ${list} that add up to ${target}.`,
  (list, target) => `Choose some of ${list} so that their sum is ${target}.`,
  (list, target) => `Which numbers from the list ${list} have the sum ${target}?`,
];

/** Some numbers of a list with a given sum; several choices may be right. */
export const subsetSum: Task = {
  name: "subset-sum",
  description: "Name numbers from a list that add up to a target.",
  generate(random, difficulty) {
    const { numbers, target, lines, chosen } = drawSolved(random, difficulty);
    return {
      task: "subset-sum",
      key: `${numbers.toSorted((a, b) => a - b).join(" ")} to ${target}`,
      prompt: random.pick(PHRASINGS)(numbers.join(", "), target),
      thinking: lines.join("\n"),
      answer: chosen.join(" "),
      verify: (text) => {
        const found = answeredNumbers(finalAnswer(text).replace(/\s*=\s*\d+$/, ""));
        const known = found.every((number) => numbers.includes(number));
        const sum = found.reduce((total, number) => total + number, 0);
        return known && new Set(found).size === found.length && sum === target;
      },
    };
  },
};

interface Solved {
  numbers: number[];
  target: number;
  lines: string[];
  chosen: number[];
}

/** Draws problems until the search solves one within the length that the difficulty allows. */
function drawSolved(random: Random, difficulty: number): Solved {
  const most = scaled(difficulty, 20, 50);
  const all = Array.from({ length: most }, (_, i) => i + 1);
  const [shortest, longest] = [scaled(difficulty, 0, 250), scaled(difficulty, 250, 1000)];
  for (;;) {
    const numbers = random.sample(all, scaled(difficulty, 3, 7));
    const some = random.sample(numbers, random.integer(2, numbers.length - 1));
    const target = some.reduce((total, number) => total + number, 0);
    const { lines, chosen } = search(numbers, target);
    const length = lines.join("\n").length;
    if (shortest <= length && length <= longest) return { numbers, target, lines, chosen };
  }
}

/**
 * Goes through the list and takes (+) what still fits, leaves (-) what does not; at the end of the
 * list it gives back the last number taken and goes on from there. Each line repeats the whole
 * state, marks first, then what is left to reach. Needs a target that some of the numbers add up to.
 *
 *     3 8 12 5: 17
 *     3+ 8 12 5: 17-3=14
 *     3+ 8+ 12 5: 14-8=6
 *     3+ 8+ 12- 5: 6
 *     3+ 8+ 12- 5+: 6-5=1
 *     3+ 8+ 12- 5-: 1+5=6
 *     3+ 8- 12 5: 6+8=14
 *     ...
 *     12 5
 */
function search(numbers: readonly number[], target: number): { lines: string[]; chosen: number[] } {
  const marks: ("+" | "-")[] = [];
  const lines: string[] = [];
  let left = target;
  function write(before: string): void {
    const list = numbers.map((number, i) => `${number}${marks[i] ?? ""}`).join(" ");
    lines.push(`${list}: ${before}${left}`);
  }

  write("");
  while (left > 0) {
    const next = numbers[marks.length];
    if (next === undefined) {
      const place = marks.lastIndexOf("+");
      if (place < 0) throw new RangeError(`expected a sum of some of ${numbers}, found ${target}`);
      const given = numbers[place] ?? 0;
      marks.splice(place, Infinity, "-");
      const before = `${left}+${given}=`;
      left += given;
      write(before);
    } else if (next <= left) {
      marks.push("+");
      const before = `${left}-${next}=`;
      left -= next;
      write(before);
    } else {
      marks.push("-");
      write("");
    }
  }
  const chosen = numbers.filter((_, i) => marks[i] === "+");
  lines.push(chosen.join(" "));
  return { lines, chosen };
}
