import { describe, expect, it } from "vitest";
import { lengthPenalty } from "./length-penalty.ts";

describe("lengthPenalty", () => {
  it("is 0 while an answer is short, 1 when it is too long, and rises evenly between", () => {
    const at = (length: number): number => lengthPenalty(length, { free: 100, most: 200 });
    expect([0, 100, 125, 150, 200, 999].map(at)).toEqual([0, 0, 0.25, 0.5, 1, 1]);
  });
});
