import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readExpression } from "../expression.ts";
import { searchCountdown } from "./countdown-search.ts";

describe("searchCountdown", () => {
  it("writes out tries until one fits", () => {
    expect(searchCountdown([3, 5, 8], 23, 1000)).toEqual({
      lines: [
        "make 23: 3 5 8",
        "?+3 23-3=20: 5 8: 5+8=13 8-5=3 5*8=40 no",
        "?-3 23+3=26: 5 8: 5+8=13 8-5=3 5*8=40 no",
        "?+5 23-5=18: 3 8: 3+8=11 8-3=5 3*8=24 no",
        "?-5 23+5=28: 3 8: 3+8=11 8-3=5 3*8=24 no",
        "?+8 23-8=15: 3 5: 3+5=8 5-3=2 3*5=15 yes",
        "3*5+8",
      ],
      answer: "3*5+8",
    });
  });

  it("restates the goal above when it backs out", () => {
    const found = searchCountdown([6, 12, 3, 5, 9], 17, 1000);
    expect(found?.lines).toContain("back +12: ?+6 11: 12 3 5 9");
    expect(found?.lines.at(-1)).toBe(found?.answer);
  });

  it("gives up beyond the longest length and where nothing fits", () => {
    expect(searchCountdown([3, 5, 8], 23, 100)).toBeUndefined();
    expect(searchCountdown([1, 1, 1], 99, 10_000)).toBeUndefined();
  });

  it("reaches the target with all the numbers, within the length, whenever it ends", () => {
    const numbers = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 3, maxLength: 5 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 99 }), (given, target) => {
        const found = searchCountdown(given, target, 1500);
        fc.pre(found !== undefined);
        const read = readExpression(found.answer);
        const ascending = (list: readonly number[] = []) => list.toSorted((a, b) => a - b);
        expect(read?.value).toBe(target);
        expect(ascending(read?.numbers)).toEqual(ascending(given));
        expect(found.lines.join("\n").length).toBeLessThanOrEqual(1500);
      }),
    );
  });
});
