import { ContextError } from "./context-suite.ts";

/**
 * The longest prompt of at most `limit` tokens: `build(n)` makes one of `n` sentences, pairs or turns,
 * each of about as many tokens as the others.
 *
 * @throws ContextError when even `fewest` are too many
 */
export function fitContext<Built extends { ids: readonly number[] }>(
  limit: number,
  fewest: number,
  build: (count: number) => Built,
): Built {
  let best = build(fewest);
  if (best.ids.length > limit) {
    throw new ContextError(
      `context: expected room for at least ${best.ids.length} tokens beside the answer, found ${limit}`,
    );
  }
  let [most, tooMany] = [fewest, Infinity];
  // A first step that tells how many tokens one costs; afterwards guesses come within one or two.
  let perUnit = Math.max(1, (build(fewest + 8).ids.length - best.ids.length) / 8);
  while (tooMany - most > 1) {
    const left = Math.floor((limit - best.ids.length) / perUnit);
    const count = most + Math.max(1, Math.min(left, tooMany - most - 1));
    const built = build(count);
    if (built.ids.length > limit) tooMany = count;
    else {
      perUnit = Math.max(1, (built.ids.length - best.ids.length) / (count - most));
      [best, most] = [built, count];
    }
  }
  return best;
}
