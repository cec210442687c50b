import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchExamples, ExampleError, type Example } from "./example.ts";
import { planBatches } from "./length-batches.ts";

const example = fc
  .array(fc.tuple(fc.nat(50), fc.nat(1)), { minLength: 1, maxLength: 30 })
  .map((pairs): Example => ({
    ids: pairs.map(([id]) => id),
    learned: pairs.map(([, one]) => one),
  }));
const paddedTokens = (rows: readonly number[][]): number => rows.length * rows[0]!.length;

describe("batchExamples", () => {
  it("pads to the right and labels only what is to be learned", () => {
    const [batch] = batchExamples(
      [
        { ids: [7, 8], learned: [0, 1] },
        { ids: [4, 5, 6], learned: [1, 0, 1] },
      ],
      100,
    );
    expect(batch).toEqual({
      ids: [
        [4, 5, 6],
        [7, 8, 0],
      ],
      mask: [
        [1, 1, 1],
        [1, 1, 0],
      ],
      labels: [
        [4, -100, 6],
        [-100, 8, -100],
      ],
      targets: 2,
      tokens: 5,
    });
  });

  it("keeps every example once and every batch within the budget", () => {
    fc.assert(
      fc.property(
        fc.array(example, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 30, max: 200 }),
        (examples, budget) => {
          const batches = batchExamples(examples, budget);
          for (const { ids } of batches) expect(paddedTokens(ids)).toBeLessThanOrEqual(budget);
          const rows = batches.flatMap(({ ids, mask }) =>
            ids.map((row, b) => row.filter((_, t) => mask[b]![t] === 1).join()),
          );
          expect(rows.toSorted()).toEqual(examples.map(({ ids }) => ids.join()).toSorted());
        },
      ),
    );
  });

  it.each([
    ["is empty", { ids: [], learned: [] }],
    ["has too few marks", { ids: [1, 2], learned: [1] }],
  ])("refuses an example that %s", (_, wrong) => {
    expect(() => batchExamples([wrong], 10)).toThrow(ExampleError);
  });
});

describe("planBatches", () => {
  it("cuts where the lengths drop, if padding would cost more than one more batch", () => {
    expect(planBatches([1000, 1000, 10, 10, 10], 100_000)).toEqual([2, 3]);
  });

  it("does not cut where padding is cheap", () => {
    expect(planBatches([100, 90, 80, 70], 100_000)).toEqual([4]);
  });

  it("gives a row longer than the budget a batch of its own", () => {
    expect(planBatches([500, 90, 10], 100)).toEqual([1, 1, 1]);
  });
});
