import { subtractInColumns } from "../column-subtraction.ts";
import { compareDigits } from "../digit-comparison.ts";
import { answersNumber } from "../final-answer.ts";
import { numberWithDigits, scaled, type Task } from "../task.ts";

const PHRASINGS: readonly ((a: number, b: number) => string)[] = [
  (a, b) => `What is ${a} - ${b}?`,
  (a, b) => `What is ${a} minus ${b}?`,
  (a, b) => `Subtract ${b} from ${a}.`,
  (a, b) => `Calculate ${a} - ${b}.`,
  (a, b) => `Take ${b} away from ${a}.`,
  (a, b) => `How much is ${a} - ${b}?`,
];

/** Below this difficulty the first number is never the smaller one. */
const NEGATIVE_FROM = 0.4;

/** Differences of two numbers of one to six digits, negative ones at higher difficulty. */
export const subtraction: Task = {
  name: "subtraction",
  description: "Subtract two whole numbers of one to six digits; the result may be negative.",
  generate(random, difficulty) {
    const most = scaled(difficulty, 1, 6);
    const one = numberWithDigits(random, most);
    const other = numberWithDigits(random, random.integer(Math.max(1, most - 2), most));
    const swap = difficulty >= NEGATIVE_FROM && random.chance(0.3);
    const [a, b] = swap
      ? [Math.min(one, other), Math.max(one, other)]
      : [Math.max(one, other), Math.min(one, other)];
    const { thinking, result } = workOut(a, b);
    return {
      task: "subtraction",
      key: `${a}-${b}`,
      prompt: random.pick(PHRASINGS)(a, b),
      thinking,
      answer: result,
      verify: (text) => answersNumber(text, a - b),
    };
  },
};

/** Finds the larger number, subtracts the other from it, then sets the sign. */
function workOut(a: number, b: number): { thinking: string; result: string } {
  const comparison = compareDigits(a, b);
  const head = [`${a}-${b}`, ...comparison.lines];
  if (comparison.sign !== "<") {
    const { lines, result } = subtractInColumns(a, b);
    return { thinking: [...head, ...lines].join("\n"), result };
  }
  const { lines, result } = subtractInColumns(b, a);
  const thinking = [...head, "negative", ...lines, `${a}-${b}=-${result}`].join("\n");
  return { thinking, result: `-${result}` };
}
