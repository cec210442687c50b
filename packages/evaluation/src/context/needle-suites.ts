import { createRandom, firstNames } from "@levin/tasks";
import {
  containedShare,
  ContextError,
  planItems,
  seedOf,
  type ContextItem,
  type ContextOptions,
  type ContextPrompt,
  type ContextSuite,
} from "./context-suite.ts";
import { fitContext } from "./fit-context.ts";
import type { Haystack } from "./haystack.ts";

interface Needle {
  name: string;
  code: string;
  /** 0 to 1. */
  depth: number;
}

type NeedleOptions = ContextOptions & { haystack: Haystack };

/** Codes from 1000 to 9999. */
const codes = 9000;

/** One fact in a text that has nothing to do with it, at each depth. */
export function needleSuite(options: NeedleOptions): ContextSuite {
  return suiteOf(options, {
    name: "needle",
    title: "One fact in a long text",
    answerTokens: 48,
    depths: options.depths,
    draw: (item) => {
      const needles = drawNeedles(options, item, [item.depth!]);
      return { needles, asked: needles, chance: 1 / codes };
    },
  });
}

/** One of several facts: the others are there to be mistaken for it. */
export function multiNeedleSuite(options: NeedleOptions): ContextSuite {
  const depths = evenDepths(options.needles);
  return suiteOf(options, {
    name: "multi-needle",
    title: `One of ${options.needles} facts in a long text`,
    answerTokens: 48,
    depths,
    draw: (item) => {
      const needles = drawNeedles(options, { ...item, question: 0 }, depths);
      return { needles, asked: [needles[item.question]!], chance: 1 / needles.length };
    },
  });
}

/** All of several facts at once. */
export function allNeedlesSuite(options: NeedleOptions): ContextSuite {
  const depths = evenDepths(options.needles);
  return suiteOf(options, {
    name: "all-needles",
    title: `All of ${options.needles} facts in a long text`,
    answerTokens: 32 * options.needles,
    depths: [undefined],
    draw: (item) => {
      const needles = drawNeedles(options, item, depths);
      return { needles, asked: needles, chance: 1 / codes };
    },
  });
}

interface NeedleSuite {
  name: string;
  title: string;
  answerTokens: number;
  depths: readonly (number | undefined)[];
  draw(item: ContextItem): { needles: Needle[]; asked: Needle[]; chance: number };
}

function suiteOf(options: NeedleOptions, suite: NeedleSuite): ContextSuite {
  const { name, title, answerTokens, depths } = suite;
  const reserved = answerTokens + options.thinkingTokens;
  return {
    ...{ name, title, answerTokens },
    items: planItems(name, options, depths),
    promptOf: (item) => {
      const { needles, asked, chance } = suite.draw(item);
      const answers = asked.map(({ code }) => code);
      const seed = seedOf(options.seed, item.context);
      const build = (count: number): Pick<ContextPrompt, "turns" | "ids"> => {
        const text = withNeedles(options.haystack.sentences(count, seed), needles);
        const content = `${introduction}\n\n${text}\n\n${questionFor(asked)}`;
        const turns = [{ role: "user" as const, content }];
        return { turns, ids: options.encode(turns) };
      };
      return {
        ...fitContext({ length: item.length, reserved }, 1, build),
        answer: answers.join(", "),
        score: (reply) => containedShare(answers, reply),
        chance,
      };
    },
  };
}

const introduction = "Read this text. Afterwards you will be asked for codes that it mentions.";

function questionFor(asked: readonly Needle[]): string {
  const names = asked.map(({ name }) => name);
  return names.length === 1
    ? `What is the code of ${names[0]}?`
    : `What are the codes of ${names.slice(0, -1).join(", ")} and ${names.at(-1)}?`;
}

function drawNeedles(
  { seed }: ContextOptions,
  { context, question }: ContextItem,
  depths: readonly number[],
): Needle[] {
  const random = createRandom(seedOf(seed, context, question));
  const names = random.sample(firstNames, depths.length);
  return depths.map((depth, i) => ({
    ...{ name: names[i]!, depth },
    code: String(random.integer(1000, 999 + codes)),
  }));
}

/** The sentences in one line, with the needles between them. */
function withNeedles(sentences: string[], needles: readonly Needle[]): string {
  const parts = [...sentences];
  // The last one first, so that none moves another's place.
  for (const { name, code, depth } of needles.toReversed()) {
    parts.splice(Math.round(depth * sentences.length), 0, `The code of ${name} is ${code}.`);
  }
  return parts.join(" ");
}

/** From 0 to 1, equally far from each other. Throws ContextError for more needles than there are names. */
function evenDepths(count: number): number[] {
  if (count > firstNames.length) {
    throw new ContextError(`needles: expected at most ${firstNames.length}, found ${count}`);
  }
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0.5 : i / (count - 1)));
}
