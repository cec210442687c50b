import { describe, expect, it } from "vitest";
import { allTasks, createRandom, generateProblem, type Problem } from "./index.ts";

/** The first problem of a task, from seed 1 on, whose answer looks as wanted. */
function problemWith(name: string, wanted: RegExp): Problem {
  const task = allTasks.find((each) => each.name === name);
  if (!task) throw new Error(`expected a task, found ${name}`);
  const random = createRandom(1);
  for (let draw = 0; draw < 5000; draw += 1) {
    const problem = generateProblem(task, random, { difficulty: 0.5 });
    if (wanted.test(problem.answer)) return problem;
  }
  throw new Error(`expected an answer of ${name} like ${wanted}, found none`);
}

describe.each([
  [
    "countdown",
    /^(\d+)\*(\d+)\+(\d+)\+(\d+)$/,
    ["$1 * $2 + $3 + $4", "$4+($1×$2)+$3", "$1*$2+$3+$4 = $&"],
  ],
  ["boolean-evaluation", /^(true)$/, ["True", "It is true.", "The expression evaluates to TRUE"]],
  ["date-arithmetic", /^(\w{3})(day)$/, ["$1", "It is a $1$2.", "$1$2!"]],
  [
    "date-arithmetic",
    /^(March) (\d+)$/,
    ["$2 March", "the $2th of March", "mar $2", "It is March $2."],
  ],
  ["base-conversion", /^([01]{4})([01]{4})$/, ["0b$1$2", "0$1 $2", "$1$2 in binary"]],
  ["base-conversion", /^(\d)([A-F])$/, ["0x$1$2", "The answer is $1$2 (hexadecimal)."]],
  ["subset-sum", /^(\d+) (\d+)$/, ["$2, $1", "$1 and $2", "$1 + $2"]],
])("the verifier of %s on an answer like %s", (name, form, rewordings) => {
  const problem = problemWith(name, form);

  it.each(rewordings)("accepts it as %j", (rewording) => {
    const text = rewording.endsWith("= $&")
      ? `${problem.answer} = ${/\d+(?=\D*$)/.exec(problem.prompt)?.[0]}`
      : problem.answer.replace(form, rewording);
    expect(problem.verify(text)).toBe(true);
  });
});

describe("answers that only look right", () => {
  it("are refused by countdown", () => {
    const problem = problemWith("countdown", /\+/);
    const target = /\d+(?=\D*$)/.exec(problem.prompt)?.[0] ?? "";
    expect(problem.verify(target)).toBe(false);
    expect(problem.verify(`${target}+0`)).toBe(false);
    expect(problem.verify(`(1+1)*${Number(target) / 2}`)).toBe(false);
  });

  it("are refused by subset-sum", () => {
    const problem = problemWith("subset-sum", /^\d+ \d+$/);
    const numbers = problem.prompt.match(/\d+/g)?.map(Number) ?? [];
    const target = numbers.at(-1) ?? 0;
    expect(problem.verify(numbers.slice(0, -1).join(" "))).toBe(false);
    expect(problem.verify(`${target - 1} 1 0`)).toBe(false);
  });

  it("are refused by boolean-evaluation", () => {
    const problem = problemWith("boolean-evaluation", /true/);
    for (const reply of ["not true", "true or false", "false, true", "untrue"]) {
      expect(problem.verify(reply)).toBe(false);
    }
  });
});
