import { ExampleError, type Example } from "./example.ts";
import { permutation } from "./permutation.ts";

/** Where a mix takes examples from. */
export interface ExampleSource<Item = Example> {
  /**
   * A fixed set, served in shuffled epochs; or a function that makes the example of a place (0, 1,
   * 2, …) in the order in which this source is asked, from nothing but the place.
   */
  examples: readonly Item[] | ((place: number) => Item);
  /** Share of the examples, relative to the other sources' weights; 0 leaves it out. */
  weight: number;
}

/**
 * Mixes sources by their weights. The shares are kept exactly, not by chance: among the first n
 * examples a source has its share of n, give or take one for each source.
 *
 * @returns the examples of a step, which depend on the step alone, so that resume is exact
 * @throws ExampleError when a weight is negative, none is positive, or a set is empty
 */
export function mixExamples<Item = Example>(
  sources: readonly ExampleSource<Item>[],
  { examplesPerStep, seed }: { examplesPerStep: number; seed: number },
): (step: number) => Item[] {
  for (const { examples, weight } of sources) {
    if (!(weight >= 0 && weight < Infinity)) {
      throw new ExampleError(`mix: expected weights ≥ 0, found ${weight}`);
    }
    if (examples.length === 0 && typeof examples !== "function") {
      throw new ExampleError("mix: expected at least one example of each source, found none");
    }
  }
  const used = sources.filter(({ weight }) => weight > 0);
  if (used.length === 0) throw new ExampleError("mix: expected a weight above 0, found none");
  const choose = sourceOfPlace(used.map(({ weight }) => weight));
  const serve = used.map(({ examples }, i) =>
    typeof examples === "function" ? examples : epochs(examples, seed + i),
  );
  return (step) =>
    Array.from({ length: examplesPerStep }, (_, i) => {
      const { source, place } = choose(step * examplesPerStep + i);
      return serve[source]!(place);
    });
}

/**
 * The source of each place of a mix, and how often it came before. One source after the other takes
 * its share of the places that those before it left.
 */
function sourceOfPlace(
  weights: readonly number[],
): (place: number) => { source: number; place: number } {
  const shares = weights.map(
    (weight, i) => weight / weights.slice(i).reduce((sum, other) => sum + other, 0),
  );
  return (place) => {
    let rest = place;
    for (const [source, share] of shares.entries()) {
      const before = Math.floor(rest * share);
      // The last source's share of the rest is 1.
      if (Math.floor((rest + 1) * share) > before) return { source, place: before };
      rest -= before;
    }
    return { source: shares.length - 1, place: rest };
  };
}

function epochs<Item>(examples: readonly Item[], seed: number): (place: number) => Item {
  let order: number[] = [];
  let orderOf = -1;
  return (place) => {
    const epoch = Math.floor(place / examples.length);
    if (epoch !== orderOf) {
      order = permutation(examples.length, Math.imul(seed, 0x9e3779b1) ^ epoch);
      orderOf = epoch;
    }
    return examples[order[place % examples.length]!]!;
  };
}
