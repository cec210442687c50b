import { expect, it } from "vitest";
import { argMax, compareLogits } from "./compare-logits.ts";

it("tells how near two distributions are, and how sure the first is", () => {
  const same = compareLogits(Float32Array.of(1, 3, 2.5), Float32Array.of(1, 3, 2.5));
  expect(same).toEqual({ logit: 0, divergence: 0, agree: true, margin: 0.5 });

  // Probabilities ¼ and ¾ against ½ and ½.
  const odds = compareLogits(Float32Array.of(0, Math.log(3)), Float32Array.of(7, 7));
  expect(odds.divergence).toBeCloseTo(0.25 * Math.log(0.5) + 0.75 * Math.log(1.5), 6);
  expect(odds.logit).toBe(7);
  expect(odds.agree).toBe(false);
  expect(odds.margin).toBeCloseTo(Math.log(3), 6);
});

it("takes the first of equal numbers", () => expect(argMax(Float32Array.of(1, 4, 4))).toBe(1));
