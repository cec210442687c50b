import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";

/** A seeded source of choices: the same seed gives the same choices on every machine. */
export interface Random {
  /** A whole number from `lowest` to `highest`, both included. */
  integer(lowest: number, highest: number): number;
  /** A number in [0, 1). */
  fraction(): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One of the items. Throws a RangeError when there is none. */
  pick<Item>(items: readonly Item[]): Item;
  /** `count` different items in random order. Throws a RangeError when there are fewer. */
  sample<Item>(items: readonly Item[], count: number): Item[];
}

/** Parts of the unit interval; 2^31 fits the generator's 32-bit draws. */
const FRACTION_STEPS = 2 ** 31;

/**
 * Makes a Random from a whole-number seed (Mersenne Twister, from pure-rand).
 * Neighbouring seeds start unlike each other, so that a trainer may seed each step with its number;
 * pure-rand's xoroshiro128+ draws the same first number from every seed.
 */
export function createRandom(seed: number): Random {
  const generator = mersenne(seed);
  const integer = (lowest: number, highest: number): number =>
    uniformInt(generator, lowest, highest);
  const fraction = (): number => integer(0, FRACTION_STEPS - 1) / FRACTION_STEPS;

  function sample<Item>(items: readonly Item[], count: number): Item[] {
    if (count > items.length) {
      throw new RangeError(`expected at most ${items.length} items to sample, found ${count}`);
    }
    const pool = [...items];
    const drawn: Item[] = [];
    while (drawn.length < count) drawn.push(...pool.splice(integer(0, pool.length - 1), 1));
    return drawn;
  }

  function pick<Item>(items: readonly Item[]): Item {
    if (items.length > 0) return items[integer(0, items.length - 1)]!;
    throw new RangeError("expected at least one item to pick from, found none");
  }

  return { integer, fraction, chance: (probability) => fraction() < probability, pick, sample };
}
