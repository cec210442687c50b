import { createRandom, firstNames, type Random } from "@levin/tasks";
import {
  containedShare,
  planItems,
  seedOf,
  type ContextOptions,
  type ContextPrompt,
  type ContextSuite,
} from "./context-suite.ts";
import { fitContext } from "./fit-context.ts";

/**
 * What keys and values are: UUIDs, names and codes in JSON, which are easier and of fewer tokens, or the
 * latter as sentences, as in the task `recall`.
 */
export type PairForm = "uuid" | "name" | "fact";

/**
 * Pairs of key and value as long as the context, of which one value is asked for by its key: the test of
 * "Lost in the Middle" (arXiv 2307.03172), in words of our own. A context is asked at every depth.
 */
export function keyValueSuite(options: ContextOptions & { pairs: PairForm }): ContextSuite {
  const name = "key-value";
  const answerTokens = options.pairs === "uuid" ? 96 : 48;
  return {
    ...{ name, answerTokens },
    title: options.pairs === "fact" ? "One of many facts" : "One value of a long JSON object",
    items: planItems(name, options, options.depths),
    promptOf: (item) => {
      const seed = seedOf(options.seed, item.context);
      const room = { length: item.length, reserved: answerTokens + options.thinkingTokens };
      const { pairs, asked, ...built } = fitContext(room, 2, (count) => {
        const drawn = drawPairs(options.pairs, createRandom(seed), count);
        const at = Math.round(item.depth! * (count - 1));
        const turns: ContextPrompt["turns"] = [
          { role: "user", content: contentOf(options.pairs, drawn, drawn[at]![0]) },
        ];
        return { turns, ids: options.encode(turns), pairs: drawn, asked: drawn[at]! };
      });
      return {
        ...built,
        answer: asked[1],
        score: (reply) => containedShare([asked[1]], reply),
        chance: 1 / pairs.length,
      };
    },
  };
}

function contentOf(form: PairForm, pairs: readonly Pair[], asked: string): string {
  if (form === "fact") {
    const facts = pairs.map(([key, value]) => `The code of ${key} is ${value}.`);
    return `${facts.join(" ")} What is the code of ${asked}?`;
  }
  const lines = pairs.map(([key, value]) => `"${key}": "${value}"`);
  const object = `{${lines.join(",\n")}}`;
  return `Find a value in this JSON object.\n\n${object}\n\nWhat is the value of "${asked}"?`;
}

type Pair = readonly [key: string, value: string];

/** Keys that all differ. More pairs begin with the same ones. */
function drawPairs(form: PairForm, random: Random, count: number): Pair[] {
  const pairs = new Map<string, string>();
  const single = form === "fact" ? random.sample(firstNames, mostSingleNames) : [];
  while (pairs.size < count) {
    const key = form === "uuid" ? uuid(random) : (single[pairs.size] ?? threeNames(random));
    const value = form === "uuid" ? uuid(random) : String(random.integer(1000, 9999));
    if (!pairs.has(key)) pairs.set(key, value);
  }
  return [...pairs];
}

/** Facts about people of one name, as `recall` has them; all others have three. */
const mostSingleNames = 80;

/** Enough of them for any context: a million. */
function threeNames(random: Random): string {
  return Array.from({ length: 3 }, () => random.pick(firstNames)).join(" ");
}

/** Of version 4, as RFC 9562 writes them. */
function uuid(random: Random): string {
  const digits = (count: number): string =>
    Array.from({ length: count }, () => random.integer(0, 15).toString(16)).join("");
  const variant = random.pick(["8", "9", "a", "b"]);
  return `${digits(8)}-${digits(4)}-4${digits(3)}-${variant}${digits(3)}-${digits(12)}`;
}
