import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addInColumns } from "./column-addition.ts";
import { subtractInColumns } from "./column-subtraction.ts";
import { compareDigits } from "./digit-comparison.ts";
import { allTasks, createRandom, generateProblem } from "./index.ts";

const numbers = fc.nat({ max: 9_999_999 });

/** Every "expression=value" in a text. */
function equations(text: string): [expression: string, value: number][] {
  const found = text.matchAll(/(?<![\w=<>()*+-])(\(*\d+(?:[-+*()]+\d+)+\)*)=(-?\d+)/g);
  return [...found].map(([, expression = "", value]) => [expression, Number(value)]);
}

/** The value of an expression such as "3+(4-10)*2", rewritten from the innermost brackets on. */
function valueOf(expression: string): number {
  const rewritten = expression
    .replace(/\((-?\d+)\)/, "$1")
    .replace(/(\d+)\*(\d+)/, (_, a, b) => `${Number(a) * Number(b)}`);
  if (rewritten !== expression) return valueOf(rewritten);
  const sum = /\(([-+\d]+)\)/.exec(expression);
  if (sum) return valueOf(expression.replace(sum[0], String(sumOf(sum[1] ?? ""))));
  return sumOf(expression);
}

/** The value of a chain such as "3+4-10". */
function sumOf(chain: string): number {
  return (chain.match(/(?:^|[-+])-?\d+/g) ?? []).reduce(
    (sum, term) => sum + Number(term.replace("--", "").replace("+-", "-")),
    0,
  );
}

describe("column addition", () => {
  it("writes out carries", () => {
    expect(addInColumns(47, 85).lines).toEqual([
      "47+85: 7+5+0=12 carry 1: 2",
      "4+8: 4+8+1=13 carry 1: 32",
      "0+0: 0+0+1=1 carry 0: 132",
      "47+85=132",
    ]);
  });

  it("gives the sum of any two numbers", () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        expect(addInColumns(a, b).result).toBe(`${a + b}`);
      }),
    );
  });
});

describe("column subtraction", () => {
  it("writes out borrows and drops leading zeros", () => {
    expect(subtractInColumns(132, 85).lines).toEqual([
      "132-85: 2-5-0=-3 borrow 1: 7",
      "13-8: 3-8-1=-6 borrow 1: 47",
      "1-0: 1-0-1=0 borrow 0: 047",
      "132-85=47",
    ]);
  });

  it("gives the difference of any two numbers, the larger one first", () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        expect(subtractInColumns(high, low).result).toBe(`${high - low}`);
      }),
    );
  });

  it("refuses a larger second number", () => {
    expect(() => subtractInColumns(1, 2)).toThrow("expected left ≥ right, found 1 < 2");
  });
});

describe("digit comparison", () => {
  it("stops at the first difference", () => {
    expect(compareDigits(482, 495).lines).toEqual([
      "482 has 3, 495 has 3, 3=3",
      "482 495: 4=4",
      "82 95: 8<9",
    ]);
  });

  it("orders any two numbers", () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const expected = a < b ? "<" : a > b ? ">" : "=";
        expect(compareDigits(a, b).sign).toBe(expected);
      }),
    );
    expect(compareDigits(71, 71).sign).toBe("=");
  });
});

describe("the thinking of all tasks", () => {
  it("states only true equations", () => {
    const random = createRandom(11);
    let checked = 0;
    for (const task of allTasks) {
      for (let i = 0; i < 300; i += 1) {
        const { prompt, thinking } = generateProblem(task, random);
        for (const [expression, value] of equations(thinking)) {
          expect(value, `${prompt}\n${thinking}`).toBe(valueOf(expression));
          checked += 1;
        }
      }
    }
    expect(checked).toBeGreaterThan(1000);
  });
});
