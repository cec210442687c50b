import { expect, it } from "vitest";
import { allOrNone } from "./all-or-none.ts";

it("allOrNone gives all, or disposes of those that were made before the failure", () => {
  const inUse = new Set<number>();
  const make = (n: number) => {
    if (n === 3) throw new RangeError("three");
    inUse.add(n);
    return { n, dispose: () => inUse.delete(n) };
  };
  expect(allOrNone([1, 2], make).map(({ n }) => n)).toEqual([1, 2]);
  expect([...inUse]).toEqual([1, 2]);
  inUse.clear();
  expect(() => allOrNone([4, 5, 3, 6], make)).toThrow("three");
  expect([...inUse]).toEqual([]);
});
