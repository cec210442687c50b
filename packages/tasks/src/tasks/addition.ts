import { addInColumns } from "../column-addition.ts";
import { answersNumber } from "../final-answer.ts";
import { numberWithDigits, scaled, type Task } from "../task.ts";

const PHRASINGS: readonly ((a: number, b: number) => string)[] = [
  (a, b) => `What is ${a} + ${b}?`,
  (a, b) => `What is ${a} plus ${b}?`,
  (a, b) => `Add ${a} and ${b}.`,
  (a, b) => `Calculate ${a} + ${b}.`,
  (a, b) => `What is the sum of ${a} and ${b}?`,
  (a, b) => `How much is ${a} + ${b}?`,
];

/** Sums of two numbers of one to six digits. */
export const addition: Task = {
  name: "addition",
  description: "Add two whole numbers of one to six digits.",
  generate(random, difficulty) {
    const most = scaled(difficulty, 1, 6);
    const lengths = random.sample([most, random.integer(1, most)], 2);
    const [a = 0, b = 0] = lengths.map((digits) => numberWithDigits(random, digits));
    const { lines, result } = addInColumns(a, b);
    return {
      task: "addition",
      key: `${a}+${b}`,
      prompt: random.pick(PHRASINGS)(a, b),
      thinking: lines.join("\n"),
      answer: result,
      verify: (text) => answersNumber(text, a + b),
    };
  },
};
