import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "./random.ts";

describe("createRandom", () => {
  it("starts neighbouring seeds unlike each other, in every one of the first draws", () => {
    for (let skipped = 0; skipped < 5; skipped += 1) {
      const tenths = Array.from({ length: 10 }, () => 0);
      for (let seed = 0; seed < 2000; seed += 1) {
        const random = createRandom(seed);
        for (let i = 0; i < skipped; i += 1) random.fraction();
        const tenth = random.integer(0, 9);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      expect(Math.min(...tenths)).toBeGreaterThan(140);
      expect(Math.max(...tenths)).toBeLessThan(260);
    }
  });

  it("keeps to its bounds", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.nat({ max: 1e6 }), (seed, low, span) => {
        const random = createRandom(seed);
        const drawn = random.integer(low, low + span);
        expect(drawn).toBeGreaterThanOrEqual(low);
        expect(drawn).toBeLessThanOrEqual(low + span);
        expect(random.fraction()).toBeLessThan(1);
      }),
    );
  });

  it("samples without repeating", () => {
    fc.assert(
      fc.property(fc.integer(), fc.uniqueArray(fc.nat()), (seed, items) => {
        const drawn = createRandom(seed).sample(items, items.length);
        expect(drawn.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
      }),
    );
  });

  it("refuses to draw more than there is", () => {
    expect(() => createRandom(1).sample([1, 2], 3)).toThrow(RangeError);
    expect(() => createRandom(1).pick([])).toThrow(RangeError);
  });
});
