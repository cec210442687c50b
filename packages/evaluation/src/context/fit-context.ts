import { ContextError } from "./context-suite.ts";

/** What a context must hold, in tokens. */
export interface Room {
  /** Prompt and answer together. */
  length: number;
  /** Kept free for thought and answer. */
  reserved: number;
}

/**
 * The longest prompt that leaves what is reserved of a length: `build(n)` makes one of `n` sentences, pairs or turns,
 * each of about as many tokens as the others.
 *
 * @throws ContextError when even `fewest` are too many
 */
export function fitContext<Built extends { ids: readonly number[] }>(
  { length, reserved }: Room,
  fewest: number,
  build: (count: number) => Built,
): Built {
  const limit = length - reserved;
  const least = build(fewest);
  if (least.ids.length > limit) {
    throw new ContextError(
      `lengths: expected at least ${least.ids.length + reserved} tokens, ` +
        `${reserved} of them for thought and answer, found ${length}`,
    );
  }
  let [best, most, tooMany] = [least, fewest, Infinity];
  // Eight more tell how many tokens one costs; from then on guesses come within one or two.
  let count = fewest + 8;
  while (tooMany - most > 1) {
    const built = build(count);
    if (built.ids.length > limit) tooMany = count;
    else [best, most] = [built, count];
    const perUnit = Math.max(1, (built.ids.length - least.ids.length) / (count - fewest));
    const left = Math.floor((limit - best.ids.length) / perUnit);
    count = most + Math.max(1, Math.min(left, tooMany - most - 1));
  }
  return best;
}
