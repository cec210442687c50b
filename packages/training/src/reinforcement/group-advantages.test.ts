import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupAdvantages } from "./group-advantages.ts";

const groups = fc
  .array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 2, maxLength: 16 })
  .filter((rewards) => Math.max(...rewards) - Math.min(...rewards) > 0.01);

describe("groupAdvantages", () => {
  it("has mean 0 and variance 1, in the order of the rewards", () => {
    fc.assert(
      fc.property(groups, (rewards) => {
        const advantages = groupAdvantages(rewards);
        const sum = (power: number): number =>
          advantages.reduce((total, advantage) => total + advantage ** power, 0);
        expect(sum(1) / rewards.length).toBeCloseTo(0, 9);
        expect(sum(2) / rewards.length).toBeCloseTo(1, 9);
        const ranked = rewards
          .map((reward, i) => ({ reward, advantage: advantages[i]! }))
          .toSorted((one, other) => one.reward - other.reward)
          .map(({ advantage }) => advantage);
        expect(ranked).toEqual(ranked.toSorted((one, other) => one - other));
      }),
    );
  });

  it("does not change when all rewards are shifted or scaled", () => {
    fc.assert(
      fc.property(groups, fc.double({ min: 0.1, max: 10, noNaN: true }), (rewards, factor) => {
        const other = groupAdvantages(rewards.map((reward) => factor * reward - 3));
        groupAdvantages(rewards).forEach((value, i) => expect(other[i]).toBeCloseTo(value, 6));
      }),
    );
  });

  it("gives nothing to learn where all answers are worth the same", () => {
    expect(groupAdvantages([1, 1, 1])).toEqual([0, 0, 0]);
    expect(groupAdvantages([0.1 + 0.2, 0.3, 0.3])).toEqual([0, 0, 0]);
    expect(groupAdvantages([1, 0, 0, 0])[0]).toBeCloseTo(Math.sqrt(3), 12);
  });
});
