import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExampleError } from "./example.ts";
import { limitLengths, splitExamples } from "./prepare-examples.ts";

describe("splitExamples", () => {
  it("divides any set without loss, the same way for the same seed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 300 }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.integer(),
        (count, share, seed) => {
          const set = Array.from({ length: count }, (_, i) => i);
          const { train, heldOut } = splitExamples(set, { share, seed });
          expect([...train, ...heldOut].toSorted((a, b) => a - b)).toEqual(set);
          expect(train.length).toBeGreaterThan(0);
          expect(heldOut.length).toBeGreaterThan(0);
          expect(Math.abs(heldOut.length - share * count)).toBeLessThanOrEqual(1);
          expect(splitExamples(set, { share, seed })).toEqual({ train, heldOut });
        },
      ),
    );
    const set = Array.from({ length: 100 }, (_, i) => i);
    const of = (seed: number): number[] => splitExamples(set, { share: 0.3, seed }).heldOut;
    expect(of(1)).not.toEqual(of(2));
  });

  it("holds out nothing for a share of 0, and refuses what can't be divided", () => {
    expect(splitExamples([1], { share: 0, seed: 1 })).toEqual({ train: [1], heldOut: [] });
    expect(() => splitExamples([1], { share: 0.5, seed: 1 })).toThrow(ExampleError);
    expect(() => splitExamples([1, 2], { share: 1, seed: 1 })).toThrow(/below 1, found 1/);
  });
});

describe("limitLengths", () => {
  it("cuts what is too long, and leaves out what then teaches nothing", () => {
    const short = { ids: [1, 2], learned: [0, 1] };
    const long = { ids: [1, 2, 3, 4], learned: [0, 0, 1, 1] };
    const question = { ids: [1, 2, 3, 4], learned: [0, 0, 0, 1] };
    expect(limitLengths([short, long, question], 3)).toEqual({
      examples: [short, { ids: [1, 2, 3], learned: [0, 0, 1] }],
      cut: 1,
      dropped: 1,
    });
  });
});
