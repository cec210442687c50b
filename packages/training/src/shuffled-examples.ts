import { ExampleError, type Example } from "./example.ts";
import { mixExamples } from "./mix-examples.ts";

/**
 * Serves a fixed set of examples in epochs: each once per epoch, in an order of its own.
 *
 * @returns the examples of a step, which depend on the step alone, so that resume is exact
 * @throws ExampleError when there are none
 */
export function shuffledExamples<Item = Example>(
  examples: readonly Item[],
  options: { examplesPerStep: number; seed: number },
): (step: number) => Item[] {
  if (examples.length === 0) throw new ExampleError("expected at least one example, found none");
  return mixExamples([{ examples, weight: 1 }], options);
}
