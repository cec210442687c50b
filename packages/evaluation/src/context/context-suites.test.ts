import { describe, expect, it } from "vitest";
import { ContextError, type ChatTurn, type ContextItem } from "./context-suite.ts";
import { contextSuites, type ContextSuiteOptions } from "./context-suites.ts";
import { proseHaystack, textHaystack } from "./haystack.ts";
import { mrcrScore } from "./mrcr-suite.ts";

/** A token for each word or sign, told apart by a number that belongs to its text. */
function encodeWords(turns: readonly ChatTurn[]): number[] {
  const text = turns.map(({ role, content }) => `${role}\n${content}`).join("\n");
  return (text.match(/\w+|[^\w\s]/g) ?? []).map((word) =>
    Array.from(word).reduce((sum, letter) => (31 * sum + letter.codePointAt(0)!) % 65_521, 7),
  );
}

const options: ContextSuiteOptions = {
  ...{ encode: encodeWords, lengths: [4096, 900], depths: [0, 0.5, 1], count: 2, seed: 3 },
  ...{ needles: 3, thinkingTokens: 20, pairs: "uuid", haystack: proseHaystack },
};

const names = Object.keys(contextSuites) as (keyof typeof contextSuites)[];

describe.each([
  ...names.map((name) => [name, options.pairs] as const),
  ["key-value", "name"] as const,
  ["key-value", "fact"] as const,
])("%s, %s", (name, pairs) => {
  const own = { ...options, pairs };
  const suite = contextSuites[name](own);

  it("asks each question of each context, shortest first, and each has a name of its own", () => {
    expect(suite.items.map(({ length }) => length)).toEqual(
      suite.items.map((_, i) => (i < suite.items.length / 2 ? 900 : 4096)),
    );
    expect(new Set(suite.items.map(({ id }) => id)).size).toBe(suite.items.length);
  });

  it("fills a length as far as it goes, with room for thought and answer", () => {
    // The most that one sentence, pair or turn takes.
    const unit = 60;
    for (const item of suite.items) {
      const { ids } = suite.promptOf(item);
      const limit = item.length - suite.answerTokens - options.thinkingTokens;
      expect(ids.length).toBeLessThanOrEqual(limit);
      expect(ids.length).toBeGreaterThan(limit - unit);
    }
  });

  it("gives the right answer full marks, silence none, and hides the answer in the context", () => {
    for (const item of suite.items) {
      const { turns, answer, score, chance } = suite.promptOf(item);
      expect([score(answer), score("")]).toEqual([1, 0]);
      expect(chance).toBeGreaterThan(0);
      expect(chance).toBeLessThan(1);
      const text = turns.map(({ content }) => content).join("\n");
      const parts = name === "mrcr" ? [answer.slice(10)] : answer.split(", ");
      for (const part of parts) expect(text).toContain(part);
    }
  });

  it("makes the same prompt again, and another one from another seed", () => {
    const [item] = suite.items as [ContextItem];
    expect(contextSuites[name](own).promptOf(item).ids).toEqual(suite.promptOf(item).ids);
    const other = contextSuites[name]({ ...own, seed: 4 }).promptOf(item);
    expect(other.answer).not.toBe(suite.promptOf(item).answer);
  });

  it("says how much room it needs at least", () => {
    const [item] = suite.items as [ContextItem];
    expect(() => suite.promptOf({ ...item, length: suite.answerTokens + 24 })).toThrow(
      ContextError,
    );
    expect(() => suite.promptOf({ ...item, length: suite.answerTokens + 24 })).toThrow(
      /^lengths: expected at least \d+ tokens, \d+ of them for thought and answer, found \d+$/,
    );
  });
});

it.each(["multi-needle", "all-needles"] as const)("%s has as many needles as names", (name) => {
  expect(() => contextSuites[name]({ ...options, needles: 5000 })).toThrow(
    new ContextError("needles: expected at most 99, found 5000"),
  );
});

describe("where answers lie", () => {
  it.each(["needle", "key-value"] as const)("%s: at the depth that was asked for", (name) => {
    const suite = contextSuites[name](options);
    for (const item of suite.items.filter(({ length }) => length === 4096)) {
      const { turns, answer } = suite.promptOf(item);
      const text = turns[0]!.content;
      expect(text.indexOf(answer) / text.length).toBeCloseTo(item.depth!, 1);
    }
  });

  it.each(["multi-needle", "key-value", "mrcr"] as const)(
    "%s: questions about one context begin with the same tokens",
    (name) => {
      const suite = contextSuites[name](options);
      const prompts = suite.items
        .filter(({ length, context }) => length === 4096 && context === 0)
        .map((item) => suite.promptOf(item).ids);
      expect(prompts.length).toBeGreaterThan(1);
      const shared = prompts[0]!.findIndex((id, i) => prompts.some((ids) => ids[i] !== id));
      expect(shared).toBeGreaterThan(prompts[0]!.length - 150);
    },
  );
});

describe("a haystack of one's own", () => {
  it("is cut into sentences, and begins again where it ends", () => {
    const sentences = textHaystack("One fox.\nTwo owls! Three\ncats?").sentences(5, 0);
    expect(new Set(sentences.slice(0, 3))).toEqual(
      new Set(["One fox.", "Two owls!", "Three cats?"]),
    );
    expect(sentences.slice(3)).toEqual(sentences.slice(0, 2));
  });

  it("needs a sentence", () => {
    expect(() => textHaystack(" \n")).toThrow(ContextError);
  });
});

describe("the official grade of MRCR", () => {
  it("is 0 without the prefix, else the likeness of what follows", () => {
    expect(mrcrScore("a poem", "AbCa poem", "AbC")).toBe(0);
    expect(mrcrScore("AbCa poem", "AbCa poem", "AbC")).toBe(1);
    expect(mrcrScore("AbCa poet", "AbCa poem", "AbC")).toBeCloseTo(10 / 12, 12);
  });
});
