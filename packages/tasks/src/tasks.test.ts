import { runInThisContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allTasks,
  createRandom,
  finalAnswer,
  generateProblem,
  isHeldOut,
  type Problem,
  type Task,
} from "./index.ts";

const seeds = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** Any UTF-16, halves of pairs too. */
const texts = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 })
  .map((units) => String.fromCharCode(...units));
const difficulties = fc.double({ min: 0, max: 1, noNaN: true });

/** Answers made from a right one: something changed, lost or added. */
function corrupted({ answer }: Problem): string[] {
  const end = answer.slice(-1);
  const changed = /\d/.test(end) ? (Number(end) + 1) % 10 : end === "z" ? "y" : "z";
  return [
    `${answer.slice(0, -1)}${changed}`,
    answer.slice(0, -1),
    `${answer} ${answer}`,
    `${answer}1`,
    "",
    "I can't.",
  ];
}

/**
 * Whether a reply is right, worked out from the prompt in another way than the verifier's, for the
 * tasks with several right answers: there, a changed answer may be right as well.
 */
const secondOpinions: Record<string, (prompt: string, reply: string) => boolean> = {
  countdown(prompt, reply) {
    const given = numbersIn(prompt);
    const target = given.pop();
    const left = numbersIn(reply).reduce(
      (list, number) => (list.includes(number) ? list.toSpliced(list.indexOf(number), 1) : []),
      [Number.NaN, ...given],
    );
    return left.length > 0 && valueInJavaScript(reply) === target;
  },
  "subset-sum"(prompt, reply) {
    const given = numbersIn(prompt);
    const target = given.pop();
    const subsets = given.reduce<number[][]>(
      (smaller, number) => [...smaller, ...smaller.map((subset) => [...subset, number])],
      [[]],
    );
    return subsets.some(
      (subset) =>
        subset.reduce((sum, number) => sum + number, 0) === target &&
        ascending(subset) === ascending(numbersIn(reply)),
    );
  },
};

function ascending(numbers: readonly number[]): string {
  return numbers.toSorted((a, b) => a - b).join(" ");
}

function numbersIn(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}

/** The value of digits, operators and brackets; undefined for anything else. */
function valueInJavaScript(expression: string): unknown {
  try {
    return /^[\d+*()-]+$/.test(expression) ? runInThisContext(expression) : undefined;
  } catch {
    return undefined;
  }
}

function averageLength(problems: readonly Problem[]): number {
  const text = problems.map(({ prompt, thinking }) => prompt + thinking).join("");
  return text.length / problems.length;
}

/** A task as a user writes it, with nothing but the public interface. */
const tally: Task = {
  name: "tally",
  description: "Read a number of strokes.",
  generate(random, difficulty) {
    const strokes = random.integer(1, 200 + Math.round(400 * difficulty));
    const fives = Array.from({ length: Math.floor(strokes / 5) }, (_, i) => `${5 * (i + 1)}`);
    const bundles = `${"IIIII ".repeat(fives.length)}${"I".repeat(strokes % 5)}`.trim();
    return {
      task: "tally",
      key: String(strokes),
      prompt: `How many strokes are these: ${bundles}?`,
      thinking: [...fives, strokes].join("\n"),
      answer: String(strokes),
      verify: (reply) => finalAnswer(reply) === String(bundles.replaceAll(" ", "").length),
    };
  },
};

describe.each([...allTasks, tally])("$name", (task) => {
  const problems = fc
    .tuple(seeds, difficulties)
    .map(([seed, difficulty]) => generateProblem(task, createRandom(seed), { difficulty }));

  it("accepts its own answer, bare, after the thought, and as a sentence", () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const { answer, thinking } = problem;
        expect(problem.verify(answer)).toBe(true);
        expect(problem.verify(` ${answer}.\n`)).toBe(true);
        expect(problem.verify(`The answer is ${answer}.`)).toBe(true);
        expect(problem.verify(`<think>\n${thinking}\n</think>\n\n${answer}`)).toBe(true);
      }),
    );
  });

  it("refuses corrupted answers", () => {
    const isRight = secondOpinions[task.name] ?? (() => false);
    fc.assert(
      fc.property(problems, (problem) => {
        for (const reply of corrupted(problem)) {
          const expected = isRight(problem.prompt, reply);
          expect(problem.verify(reply), `${problem.prompt} ${reply}`).toBe(expected);
        }
      }),
    );
  });

  it("refuses a right thought that is never closed or ends in another answer", () => {
    fc.assert(
      fc.property(problems, (problem) => {
        expect(problem.verify(`<think>\n${problem.thinking}`)).toBe(false);
        expect(problem.verify(`<think>\n${problem.thinking}\n</think>\n\n-77`)).toBe(false);
      }),
    );
  });

  it("never throws on arbitrary text", () => {
    fc.assert(
      fc.property(problems, texts, (problem, text) => {
        expect(typeof problem.verify(text)).toBe("boolean");
      }),
    );
  });

  it("contains the answer in the last line of its thinking", () => {
    fc.assert(
      fc.property(problems, ({ thinking, answer }) => {
        expect(thinking.split("\n").at(-1)).toContain(answer);
      }),
    );
  });

  it("writes plain one-line prompts without special tokens", () => {
    fc.assert(
      fc.property(problems, ({ prompt, thinking }) => {
        expect(prompt).toMatch(/^[A-Za-z0-9 .,:;?'"()/#*+-]+$/);
        expect(thinking).toMatch(/^[A-Za-z0-9 .,:?<>()/#=+*\n-]+$/);
        expect(prompt + thinking).not.toMatch(/think>|beginning_of|end_of|<\|/);
      }),
    );
  });

  it("makes the same problem again from the same seed", () => {
    fc.assert(
      fc.property(seeds, difficulties, (seed, difficulty) => {
        const [one, again] = [1, 2].map(() => task.generate(createRandom(seed), difficulty));
        expect(JSON.stringify(one)).toBe(JSON.stringify(again));
      }),
    );
  });

  it("keeps the splits apart by what is asked and by wording", () => {
    const random = createRandom(5);
    const draw = (split: "train" | "held-out") =>
      Array.from({ length: 250 }, () => generateProblem(task, random, { split }));
    const [train, heldOut] = [draw("train"), draw("held-out")];
    expect(train.some(isHeldOut)).toBe(false);
    expect(heldOut.every(isHeldOut)).toBe(true);
    const trained = new Set(train.flatMap(({ key, prompt }) => [key, prompt]));
    expect(heldOut.filter(({ key, prompt }) => trained.has(key) || trained.has(prompt))).toEqual(
      [],
    );
  });

  it("gets longer with difficulty", () => {
    const lengths = [0, 0.5, 1].map((difficulty) => {
      const random = createRandom(9);
      return averageLength(
        Array.from({ length: 300 }, () => generateProblem(task, random, { difficulty })),
      );
    });
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(lengths[2]).toBeGreaterThan(1.3 * (lengths[0] ?? 0));
  });
});
