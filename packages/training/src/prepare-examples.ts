import { ExampleError, type Example } from "./example.ts";
import { permutation } from "./permutation.ts";

/**
 * Divides a set by chance into what is trained on and what is held out, at least one of each.
 *
 * @param share of the examples to hold out, 0 to 1; 0 holds out none
 * @throws ExampleError when the share is none, or the set is too small to be divided
 */
export function splitExamples<Item>(
  examples: readonly Item[],
  { share, seed }: { share: number; seed: number },
): { train: Item[]; heldOut: Item[] } {
  if (!(share >= 0 && share < 1)) {
    throw new ExampleError(`split: expected a share from 0 to below 1, found ${share}`);
  }
  if (share === 0) return { train: [...examples], heldOut: [] };
  if (examples.length < 2) {
    throw new ExampleError(`split: expected at least 2 examples, found ${examples.length}`);
  }
  const wanted = Math.round(examples.length * share);
  const count = Math.min(Math.max(1, wanted), examples.length - 1);
  const chosen = new Set(permutation(examples.length, seed).slice(0, count));
  return {
    train: examples.filter((_, i) => !chosen.has(i)),
    heldOut: examples.filter((_, i) => chosen.has(i)),
  };
}

/** Examples of limited length, and what it took. */
export interface LimitedExamples {
  examples: Example[];
  /** How many lost their end. */
  cut: number;
  /** How many were left out, as nothing to learn was left of them. */
  dropped: number;
}

/** Cuts examples to `maxTokens`; those that have nothing to learn then are left out. */
export function limitLengths(examples: readonly Example[], maxTokens: number): LimitedExamples {
  const result: LimitedExamples = { examples: [], cut: 0, dropped: 0 };
  for (const example of examples) {
    const ids = example.ids.slice(0, maxTokens);
    const learned = example.learned.slice(0, maxTokens);
    // The first token has no predecessor that could predict it.
    if (!learned.includes(1, 1)) result.dropped += 1;
    else {
      if (ids.length < example.ids.length) result.cut += 1;
      result.examples.push({ ids, learned });
    }
  }
  return result;
}
