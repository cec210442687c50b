import { describe, expect, it } from "vitest";
import { learningRate } from "./learning-rate-schedule.ts";

const schedule = { peak: 2, warmupSteps: 4, totalSteps: 104, floor: 0.1 };

describe("learningRate", () => {
  it("rises in equal steps to the peak", () => {
    expect([0, 1, 2, 3, 4].map((step) => learningRate(step, schedule))).toEqual([
      0.5, 1, 1.5, 2, 2,
    ]);
  });

  it("is half-way between peak and floor in the middle, and at the floor from the end on", () => {
    expect(learningRate(54, schedule)).toBeCloseTo((2 + 0.2) / 2, 12);
    expect(learningRate(104, schedule)).toBeCloseTo(0.2, 12);
    expect(learningRate(1000, schedule)).toBeCloseTo(0.2, 12);
  });

  it("never rises after the warm-up", () => {
    const rates = Array.from({ length: 100 }, (_, i) => learningRate(i + 4, schedule));
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
  });

  it("starts at the peak without warm-up", () => {
    expect(learningRate(0, { ...schedule, warmupSteps: 0 })).toBe(2);
  });
});
