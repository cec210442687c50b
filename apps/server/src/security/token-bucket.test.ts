import fc from "fast-check";
import { expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

it("gives its units at once, then as they come back", () => {
  const bucket = new TokenBucket(60, 0);
  bucket.take(60, 0);
  expect(bucket.left(0)).toBe(0);
  expect(bucket.wait(1, 0)).toBe(1000);
  expect(bucket.left(1500)).toBeCloseTo(1.5);
  expect(bucket.left(10 * 60_000)).toBe(60);
});

it("lets debts be paid before anything is left", () => {
  const bucket = new TokenBucket(60, 0);
  bucket.take(180, 0);
  expect(bucket.left(0)).toBe(-120);
  expect(bucket.wait(1, 0)).toBe(121_000);
});

it("never gives more in a time than one fill and what came back in it", () => {
  const uses = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 50 })),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), uses, (perMinute, takings) => {
      const bucket = new TokenBucket(perMinute, 0);
      let [now, taken, largest] = [0, 0, 0];
      for (const [later, units] of takings) {
        now += later;
        if (bucket.left(now) < 1) {
          // After the wait that it tells there is a unit, and not before.
          const wait = bucket.wait(1, now);
          expect(bucket.left(now + wait)).toBeCloseTo(1);
          expect(bucket.left(now + wait * 0.99)).toBeLessThan(1);
          continue;
        }
        bucket.take(units, now);
        taken += units;
        largest = Math.max(largest, units);
      }
      expect(taken).toBeLessThanOrEqual(perMinute * (1 + now / 60_000) + largest + 1e-6);
    }),
  );
});
