import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";
import { ExampleError, type Example } from "./example.ts";

/**
 * Serves a fixed set of examples in epochs: each once per epoch, in an order of its own.
 *
 * @returns the examples of a step, which depend on the step alone, so that resume is exact
 * @throws ExampleError when there are none
 */
export function shuffledExamples(
  examples: readonly Example[],
  { examplesPerStep, seed }: { examplesPerStep: number; seed: number },
): (step: number) => Example[] {
  if (examples.length === 0) throw new ExampleError("expected at least one example, found none");
  let order: number[] = [];
  let orderOf = -1;
  return (step) =>
    Array.from({ length: examplesPerStep }, (_, i) => {
      const place = step * examplesPerStep + i;
      const epoch = Math.floor(place / examples.length);
      if (epoch !== orderOf) {
        order = permutation(examples.length, Math.imul(seed, 0x9e3779b1) ^ epoch);
        orderOf = epoch;
      }
      return examples[order[place % examples.length]!]!;
    });
}

/** Fisher–Yates. */
function permutation(length: number, seed: number): number[] {
  const generator = mersenne(seed);
  const order = Array.from({ length }, (_, i) => i);
  for (let last = length - 1; last > 0; last--) {
    const other = uniformInt(generator, 0, last);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
