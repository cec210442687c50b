import { addInColumns } from "../column-addition.ts";
import { subtractInColumns } from "../column-subtraction.ts";
import { answersNumber } from "../final-answer.ts";
import { NAMES } from "../names.ts";
import { scaled, type Task } from "../task.ts";
import { STORIES } from "./word-problem-stories.ts";

const OBJECTS = ["apples", "books", "coins", "cards", "eggs", "pens", "shells", "stamps"] as const;

/** Short stories of one or two steps: adding, taking away, equal groups. */
export const wordProblems: Task = {
  name: "word-problems",
  description: "Solve a short story with one or two steps of arithmetic.",
  generate(random, difficulty) {
    const steps = random.chance(difficulty) ? 2 : 1;
    const story = random.pick(STORIES.filter((each) => each.steps === steps));
    const [name = "", other = ""] = random.sample(NAMES, 2);
    const told = story.tell({
      random,
      most: scaled(difficulty, 9, 999),
      name,
      other,
      things: random.pick(OBJECTS),
    });
    const { lines, result } = solve(told.expression);
    return {
      task: "word-problems",
      key: told.expression,
      prompt: told.prompt,
      thinking: [told.expression, ...lines].join("\n"),
      answer: result,
      verify: (text) => answersNumber(text, told.truth),
    };
  },
};

/** Works an expression such as "12+7-5" or "3*4+5" from left to right, on its written form. */
function solve(expression: string): { lines: string[]; result: string } {
  const [start = "0", ...operations] = expression.match(/(?:^|[-+*])\d+/g) ?? [];
  const lines: string[] = [];
  let result = start;
  for (const operation of operations) {
    const [left, right] = [Number(result), Number(operation.slice(1))];
    const step = apply(operation[0] ?? "", left, right);
    lines.push(...step.lines);
    result = step.result;
  }
  return { lines, result };
}

function apply(sign: string, left: number, right: number): { lines: string[]; result: string } {
  if (sign === "+") return addInColumns(left, right);
  if (sign === "-") return subtractInColumns(left, right);
  return multiplyBySteps(left, right);
}

/** Counts up in steps, numbered so that it is plain when to stop: "4*6: 1 6, 2 12, 3 18, 4 24". */
function multiplyBySteps(count: number, each: number): { lines: string[]; result: string } {
  const counted = Array.from({ length: count }, (_, i) => `${i + 1} ${each * (i + 1)}`);
  const result = String(count * each);
  return {
    lines: [`${count}*${each}: ${counted.join(", ")}`, `${count}*${each}=${result}`],
    result,
  };
}
