import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExampleError, type Example } from "./example.ts";
import { mixExamples } from "./mix-examples.ts";

const example = (id: number): Example => ({ ids: [id, id], learned: [0, 1] });

/** A source whose examples tell its number and place. */
const told = (source: number, weight: number) => ({
  weight,
  examples: (place: number): Example => ({ ids: [source, place], learned: [0, 1] }),
});

const weights = fc.array(fc.double({ min: 0.001, max: 100, noNaN: true }), {
  minLength: 1,
  maxLength: 6,
});

describe("mixExamples", () => {
  it("gives each source its share of any number of steps, and its places in order", () => {
    fc.assert(
      fc.property(
        weights,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 60 }),
        (given, examplesPerStep, steps) => {
          const mix = mixExamples(
            given.map((weight, source) => told(source, weight)),
            { examplesPerStep, seed: 1 },
          );
          const all = Array.from({ length: steps }, (_, step) => mix(step)).flat();
          expect(all).toHaveLength(examplesPerStep * steps);
          const total = given.reduce((sum, weight) => sum + weight, 0);
          for (const [source, weight] of given.entries()) {
            const places = all.filter(({ ids }) => ids[0] === source).map(({ ids }) => ids[1]);
            expect(places).toEqual(places.map((_, i) => i));
            const expected = (all.length * weight) / total;
            expect(Math.abs(places.length - expected)).toBeLessThanOrEqual(given.length);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("is a function of the step alone", () => {
    const sources = [
      { examples: Array.from({ length: 7 }, (_, i) => example(i)), weight: 2 },
      { examples: Array.from({ length: 3 }, (_, i) => example(10 + i)), weight: 1 },
    ];
    const options = { examplesPerStep: 4, seed: 5 };
    const straight = mixExamples(sources, options);
    const steps = Array.from({ length: 20 }, (_, step) => straight(step));
    for (const step of [13, 2, 19, 0]) {
      expect(mixExamples(sources, options)(step)).toEqual(steps[step]);
      expect(straight(step)).toEqual(steps[step]);
    }
  });

  it("serves a fixed set in epochs, each in another order", () => {
    const set = Array.from({ length: 12 }, (_, i) => example(i));
    const mix = mixExamples(
      [
        { examples: set, weight: 1 },
        { examples: [example(99)], weight: 1 },
      ],
      { examplesPerStep: 24, seed: 2 },
    );
    const epochs = [0, 1].map((step) => mix(step).map(({ ids }) => ids[0]!));
    const orders = epochs.map((ids) => ids.filter((id) => id !== 99));
    for (const order of orders) {
      expect(order.toSorted((a, b) => a - b)).toEqual(set.map(({ ids }) => ids[0]));
    }
    expect(orders[0]).not.toEqual(orders[1]);
  });

  it("leaves out what weighs nothing, and refuses what is no mix", () => {
    const options = { examplesPerStep: 5, seed: 1 };
    const mix = mixExamples([told(0, 0), told(1, 3)], options);
    expect(mix(0).map(({ ids }) => ids[0])).toEqual([1, 1, 1, 1, 1]);
    expect(() => mixExamples([told(0, 0)], options)).toThrow(ExampleError);
    expect(() => mixExamples([told(0, -1)], options)).toThrow(/weights ≥ 0, found -1/);
    expect(() => mixExamples([told(0, NaN)], options)).toThrow(/found NaN/);
    expect(() => mixExamples([{ examples: [], weight: 1 }], options)).toThrow(/found none/);
  });
});
