import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readExpression } from "./expression.ts";

function apply(sign: string, left: number, right: number): number {
  if (sign === "*") return left * right;
  return sign === "+" ? left + right : left - right;
}

/** Expressions with their values, built from the leaves up. */
const { expression } = fc.letrec<{ expression: { text: string; value: number } }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3 },
    fc.nat({ max: 99 }).map((value) => ({ text: String(value), value })),
    fc
      .tuple(tie("expression"), fc.constantFrom("+", "-", "*"), tie("expression"))
      .map(([left, sign, right]) => ({
        text: `(${left.text} ${sign}${right.text})`,
        value: apply(sign, left.value, right.value),
      })),
  ),
}));

describe("readExpression", () => {
  it.each([
    ["3+4*2", 11, [3, 4, 2]],
    ["(3+4)*2", 14, [3, 4, 2]],
    ["10 - 3 - 2", 5, [10, 3, 2]],
    ["2 × 3 − 1", 5, [2, 3, 1]],
    ["((7))", 7, [7]],
  ])("reads %j as %d", (text, value, numbers) => {
    expect(readExpression(text)).toEqual({ value, numbers });
  });

  it.each(["", "3+", "(3+4", "3 4", "3)", "3/1", "-3", "x", "3+4=7", "(".repeat(100_000)])(
    "refuses %j",
    (text) => {
      expect(readExpression(text)).toBeUndefined();
    },
  );

  it("gives the value of any expression with brackets", () => {
    fc.assert(
      fc.property(expression, ({ text, value }) => {
        expect(readExpression(text)?.value).toBe(value);
      }),
    );
  });
});
