import { describe, expect, it } from "vitest";
import { ExampleError } from "./example.ts";
import { shuffledExamples } from "./shuffled-examples.ts";

const examples = Array.from({ length: 10 }, (_, id) => ({ ids: [id], learned: [1] }));
const serve = (seed: number): ((step: number) => number[]) => {
  const at = shuffledExamples(examples, { examplesPerStep: 4, seed });
  return (step) => at(step).map(({ ids }) => ids[0]!);
};

describe("shuffledExamples", () => {
  it("serves each example once per epoch, in another order each time", () => {
    const at = serve(3);
    const served = [0, 1, 2, 3, 4].flatMap(at);
    const epochs = [served.slice(0, 10), served.slice(10)];
    for (const epoch of epochs)
      expect(epoch.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it("depends on seed and step alone", () => {
    const straight = serve(3);
    [0, 1, 2, 3].map(straight);
    expect(straight(4)).toEqual(serve(3)(4));
    expect([0, 1].map(serve(3))).not.toEqual([0, 1].map(serve(4)));
  });

  it("refuses an empty set", () => {
    expect(() => shuffledExamples([], { examplesPerStep: 1, seed: 1 })).toThrow(ExampleError);
  });
});
