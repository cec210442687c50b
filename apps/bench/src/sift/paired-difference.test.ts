import { describe, expect, it } from "vitest";
import { pairedDifference } from "./paired-difference.ts";

describe("pairedDifference", () => {
  it("is the mean of the differences within 1.96 standard errors", () => {
    // Differences 1, 2, 3, 4: mean 2.5, sample variance 5/3.
    const { mean, lower, upper } = pairedDifference([2, 4, 6, 8], [1, 2, 3, 4]);
    const radius = 1.96 * Math.sqrt(5 / 3 / 4);
    expect(mean).toBe(2.5);
    expect(lower).toBeCloseTo(2.5 - radius, 12);
    expect(upper).toBeCloseTo(2.5 + radius, 12);
  });

  it("has no width where all pairs differ alike", () => {
    expect(pairedDifference([3, 4, 5], [1, 2, 3])).toEqual({ mean: 2, lower: 2, upper: 2 });
  });
});
