import { createRandom, type Random } from "@levin/tasks";
import { sequenceRatio } from "../metrics/sequence-ratio.ts";
import {
  planItems,
  seedOf,
  type ChatTurn,
  type ContextOptions,
  type ContextSuite,
} from "./context-suite.ts";
import { fitContext } from "./fit-context.ts";
import { proseWords } from "./haystack.ts";

/**
 * Multi-round co-reference, as in MRCR (arXiv 2409.12640) and OpenAI's data of that name: a long chat in
 * which the same request was made several times, and the answer to one of these times is to be repeated
 * behind a prefix. Each of the times is asked for.
 */
export function mrcrSuite(options: ContextOptions): ContextSuite {
  const name = "mrcr";
  const answerTokens = 256;
  const depths = Array.from({ length: options.needles }, (_, i) => (i + 0.5) / options.needles);
  return {
    ...{ name, answerTokens },
    title: `One of ${options.needles} answers to the same request in a long chat`,
    items: planItems(name, options, depths),
    promptOf: (item) => {
      const seed = seedOf(options.seed, item.context);
      const random = createRandom(seedOf(options.seed, item.context, item.question));
      const prefix = prefixOf(random);
      const room = { length: item.length, reserved: answerTokens + options.thinkingTokens };
      const { answers, ...built } = fitContext(room, options.needles, (count) => {
        const chat = chatOf(createRandom(seed), count, depths);
        const content =
          `Write ${prefix} and, right behind it, repeat your ${ordinal(item.question + 1)} ` +
          `${chat.wanted}. Write nothing else.`;
        const turns = [...chat.turns, { role: "user" as const, content }];
        return { turns, ids: options.encode(turns), answers: chat.answers };
      });
      const answer = prefix + answers[item.question]!;
      const score = (reply: string): number => mrcrScore(reply, answer, prefix);
      const guesses = answers.map((other) => score(prefix + other));
      const chance = guesses.reduce((sum, each) => sum + each, 0) / guesses.length;
      return { ...built, answer, score, chance };
    },
  };
}

/**
 * The official grade: 0 without the prefix, else how much of what follows is the answer, as Python's
 * `difflib.SequenceMatcher.ratio` tells.
 */
export function mrcrScore(reply: string, answer: string, prefix: string): number {
  if (!reply.startsWith(prefix)) return 0;
  const expected = answer.startsWith(prefix) ? answer.slice(prefix.length) : answer;
  return sequenceRatio(reply.slice(prefix.length), expected);
}

const forms = "poem story letter riddle song speech diary prayer".split(" ");
const topics = (
  "rivers bridges lamps kettles foxes clouds mountains apples winters ships owls gardens clocks " +
  "candles horses violins deserts islands mirrors bakers"
).split(" ");

interface Chat {
  turns: ChatTurn[];
  /** Such as `poem about rivers`. */
  wanted: string;
  /** Those to the wanted request, in order. */
  answers: string[];
}

/** A chat of `count` requests, of which those at the depths are the same. */
function chatOf(random: Random, count: number, depths: readonly number[]): Chat {
  const drawRequest = (): string => `${random.pick(forms)} about ${random.pick(topics)}`;
  const wanted = drawRequest();
  const places = new Set(depths.map((depth) => Math.floor(depth * count)));
  const [turns, answers]: [ChatTurn[], string[]] = [[], []];
  for (let i = 0; i < count; i++) {
    let request = drawRequest();
    while (request === wanted) request = drawRequest();
    if (places.has(i)) request = wanted;
    const written = writtenAbout(random, request.split(" ").at(-1)!);
    if (places.has(i)) answers.push(written);
    turns.push({ role: "user", content: `Write a ${request}.` });
    turns.push({ role: "assistant", content: written });
  }
  return { turns, wanted, answers };
}

/** Lines of words in no order: two of them have little more in common than their words. */
function writtenAbout(random: Random, topic: string): string {
  const line = (): string => Array.from({ length: 5 }, () => random.pick(proseWords)).join(" ");
  return [`On ${topic}`, line(), line(), line(), line()].join("\n");
}

/** Ten letters and digits, as in OpenAI's data. */
function prefixOf(random: Random): string {
  const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".split("");
  return Array.from({ length: 10 }, () => random.pick(signs)).join("");
}

function ordinal(number: number): string {
  const endings: Record<string, string> = { one: "st", two: "nd", few: "rd", other: "th" };
  return `${number}${endings[new Intl.PluralRules("en", { type: "ordinal" }).select(number)]}`;
}
