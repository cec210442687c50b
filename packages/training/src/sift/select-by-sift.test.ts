import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { selectBySift } from "./select-by-sift.ts";
import { selectNearest, SelectionError } from "./select-nearest.ts";

const width = 6;
const embedding = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: width, maxLength: width })
  .filter((values) => Math.hypot(...values) > 0.1)
  .map(unit);
const pool = fc.array(embedding, { minLength: 1, maxLength: 12 });

function unit(values: readonly number[]): Float32Array {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

function kernel(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** The solution of a positive definite system by Gauss and Jordan. */
function solve(matrix: number[][], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  rows.forEach((_, p) => {
    const pivot = rows[p]!.map((value) => value / rows[p]![p]!);
    rows.forEach((row, i) => {
      rows[i] = i === p ? pivot : row.map((value, j) => value - row[p]! * pivot[j]!);
    });
  });
  return rows.map((row) => row.at(-1)!);
}

/** σ² by the paper's formula as it stands. */
function uncertainty(query: Float32Array, chosen: Float32Array[], lambda: number): number {
  const covariances = chosen.map((a, i) =>
    chosen.map((b, j) => kernel(a, b) + (i === j ? lambda : 0)),
  );
  const withQuery = chosen.map((a) => kernel(a, query));
  const solved = solve(covariances, withQuery);
  return kernel(query, query) - solved.reduce((sum, x, i) => sum + x * withQuery[i]!, 0);
}

describe("selectBySift", () => {
  it("picks what the formula itself would, with the formula's uncertainty", () => {
    fc.assert(
      fc.property(embedding, pool, fc.constantFrom(0.01, 0.1, 1), fc.boolean(), (...drawn) => {
        const [query, examples, lambda, repeat] = drawn;
        const { picks, uncertainties } = selectBySift(query, examples, {
          count: 5,
          lambda,
          repeat,
        });
        expect(picks).toHaveLength(repeat ? 5 : Math.min(5, examples.length));
        const chosen: Float32Array[] = [];
        picks.forEach((pick, n) => {
          const open = examples.filter((_, i) => repeat || !picks.slice(0, n).includes(i));
          const best = Math.min(...open.map((x) => uncertainty(query, [...chosen, x], lambda)));
          chosen.push(examples[pick]!);
          expect(uncertainties[n]!).toBeCloseTo(uncertainty(query, chosen, lambda), 6);
          expect(uncertainties[n]!).toBeLessThan(best + 1e-6);
        });
      }),
    );
  });

  it("never grows less certain, and stays between 0 and 1", () => {
    fc.assert(
      fc.property(embedding, pool, (query, examples) => {
        const { uncertainties } = selectBySift(query, examples, { count: 20, lambda: 0.05 });
        [1, ...uncertainties].slice(1).forEach((value, n) => {
          expect(value).toBeLessThanOrEqual([1 + 1e-6, ...uncertainties][n]!);
          expect(value).toBeGreaterThanOrEqual(0);
        });
      }),
    );
  });

  it("passes over copies for what is new, where nearest neighbours take them", () => {
    const query = unit([1, 1, 0, 0, 0, 0]);
    const near = unit([1, 0.4, 0, 0, 0, 0]);
    const other = unit([0.2, 1, 0, 0, 0, 0]);
    const examples = [near, near, near, unit([0, 0, 1, 0, 0, 0]), other];
    expect(selectNearest(query, examples, 3)).toEqual([0, 1, 2]);
    const { picks } = selectBySift(query, examples, { count: 2, lambda: 0.01 });
    expect(picks).toEqual([0, 4]);
  });

  it("looks at the nearest candidates alone, and chooses one example again only where it may", () => {
    const query = unit([1, 0, 0, 0, 0, 0]);
    const examples = [unit([1, 1, 0, 0, 0, 0]), unit([1, 0.1, 0, 0, 0, 0])];
    expect(selectBySift(query, examples, { count: 3, candidates: 1 }).picks).toEqual([1, 1, 1]);
    expect(selectBySift(query, examples, { count: 3, repeat: false }).picks).toEqual([1, 0]);
  });

  it("stops early where α says that more would gain little", () => {
    const query = unit([1, 1, 0, 0, 0, 0]);
    const far = unit([1, 0, 0, 0, 0, 0]);
    const choose = (stopAlpha: number): number =>
      selectBySift(query, [far], { count: 10, lambda: 0.01, stopAlpha }).picks.length;
    // σ stays near √½, so n = 3 is the first with σ > 1/(0.5 n).
    expect([choose(0.5), choose(2), choose(0.01)]).toEqual([3, 1, 10]);
  });

  it.each([
    [{ count: 0 }, /expected a whole count ≥ 1 and at least one example, found 0 and 1/],
    [{ count: 1, lambda: 0 }, /expected lambda, candidates and stopAlpha > 0, found 0, 200/],
    [{ count: 1, stopAlpha: Number.NaN }, /found 1, 200, NaN/],
  ])("refuses %o", (options, message) => {
    const one = unit([1, 0, 0, 0, 0, 0]);
    expect(() => selectBySift(one, [one], options)).toThrow(SelectionError);
    expect(() => selectBySift(one, [one], options)).toThrow(message);
  });

  it("refuses an empty pool and embeddings of another width", () => {
    const one = unit([1, 0, 0, 0, 0, 0]);
    expect(() => selectNearest(one, [], 1)).toThrow(/found 1 and 0/);
    expect(() => selectNearest(one, [one, unit([1, 0])], 1)).toThrow(
      /expected embeddings of 6 numbers, found 2/,
    );
  });
});
