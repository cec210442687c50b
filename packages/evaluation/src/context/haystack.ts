import { createRandom, type Random } from "@levin/tasks";
import { ContextError } from "./context-suite.ts";

/** Text in which something is hidden. */
export interface Haystack {
  /** The first `count` sentences of the text that belongs to a seed. */
  sentences(count: number, seed: number): string[];
}

const people = "baker farmer sailor teacher doctor painter gardener weaver miller hunter".split(
  " ",
);
const manners = "old young tall quiet cheerful tired clever gentle busy careful".split(" ");
const deeds = "carried found sold painted mended washed borrowed forgot admired hid".split(" ");
const things = "lamp basket letter chair kettle blanket ladder mirror bucket carpet".split(" ");
const looks = "small heavy broken green wooden shiny dusty yellow narrow round".split(" ");
const places = "harbour market garden bridge forest station village tower river mill".split(" ");
const times = "morning evening autumn winter spring summer afternoon night".split(" ");

/** All that made-up texts consist of. */
export const proseWords: readonly string[] = [
  ...[people, manners, deeds, things, looks, places, times].flat(),
];

/** A sentence without a name or a number, so that nothing in it can be taken for a needle. */
function proseSentence(random: Random): string {
  const who = `${random.pick(manners)} ${random.pick(people)}`;
  const what = `${random.pick(deeds)} a ${random.pick(looks)} ${random.pick(things)}`;
  return `The ${who} ${what} near the ${random.pick(places)} in the ${random.pick(times)}.`;
}

/** Sentences of a small grammar, without end. */
export const proseHaystack: Haystack = {
  sentences: (count, seed) => {
    const random = createRandom(seed);
    return Array.from({ length: count }, () => proseSentence(random));
  },
};

/**
 * Sentences of a text of one's own, from a place that the seed chooses, from its beginning again after its end.
 * @throws ContextError when there are none
 */
export function textHaystack(text: string): Haystack {
  const all = text
    .split(/(?<=[.!?])\s+|\n{2,}/)
    .map((sentence) => sentence.replace(/\s+/g, " ").trim())
    .filter((sentence) => sentence !== "");
  if (all.length === 0)
    throw new ContextError("haystack: expected text with sentences, found none");
  return {
    sentences: (count, seed) => {
      const start = createRandom(seed).integer(0, all.length - 1);
      return Array.from({ length: count }, (_, i) => all[(start + i) % all.length]!);
    },
  };
}
