import { withoutLeadIn } from "../named-answer.ts";
import type { Random } from "../random.ts";
import { scaled, type Task } from "../task.ts";

interface Rule {
  from: string;
  to: string;
}

const PHRASINGS: readonly ((start: string, rules: string) => string)[] = [
  (start, rules) =>
    `Start with ${start}. Replace ${rules}. Use the first rule that fits at its leftmost place until none fits. What is left?`,
  (start, rules) =>
    `Rewrite ${start} until nothing fits, always by the first fitting rule at the leftmost place: replace ${rules}.`,
  (start, rules) =>
    `Take the letters ${start} and replace ${rules}, the first rule first, from the left, again and again. What is the last string?`,
];

/** Rows of three to eight letters under two to four rules, until none fits. */
export const stringRewriting: Task = {
  name: "string-rewriting",
  description: 'Apply rules such as "replace a b by c" to a row of letters until none fits.',
  generate(random, difficulty) {
    const alphabet = "abcd".slice(0, scaled(difficulty, 3, 4)).split("");
    const start = Array.from({ length: scaled(difficulty, 3, 8) }, () => random.pick(alphabet));
    const rules = drawRules(random, alphabet, scaled(difficulty, 2, 4));
    const { lines, last } = rewrite(start, rules, MOST_LINES);
    const steps = lines.filter((line) => line.includes(":")).length;
    if (steps < scaled(difficulty, 1, 3) || lines.length >= MOST_LINES) {
      return stringRewriting.generate(random, difficulty);
    }
    const written = rules.map(({ from, to }) => `${spaced(from)} by ${spaced(to)}`);
    const list = `${written.slice(0, -1).join(", ")} and ${written.at(-1)}`;
    const truth = rewritten(start.join(""), rules);
    return {
      task: "string-rewriting",
      key: `${start.join("")}: ${rules.map(({ from, to }) => `${from} ${to}`).join(", ")}`,
      prompt: random.pick(PHRASINGS)(start.join(" "), list),
      thinking: lines.join("\n"),
      answer: last.join(" "),
      verify: (text) =>
        withoutLeadIn(text)
          .toLowerCase()
          .replace(/[\s,"]+/g, "") === truth,
    };
  },
};

const MOST_LINES = 48;

/** Rules that shorten or that sort, so that rewriting always ends. */
function drawRules(random: Random, alphabet: readonly string[], count: number): Rule[] {
  const rules = new Map<string, Rule>();
  while (rules.size < count) {
    const [first, second] = [random.pick(alphabet), random.pick(alphabet)];
    const sorts = first > second && random.chance(0.5);
    const to = sorts ? `${second}${first}` : random.pick(alphabet);
    rules.set(`${first}${second}`, { from: `${first}${second}`, to });
  }
  return [...rules.values()];
}

/**
 * Each line tries one rule: "a b no", or the string with the place that fits in capitals, and then
 * the string after it:
 *
 *     a b a c
 *     c a no
 *     b a to c: a B A c
 *     a c c
 */
function rewrite(
  start: readonly string[],
  rules: readonly Rule[],
  mostLines: number,
): { lines: string[]; last: string[] } {
  const lines = [start.join(" ")];
  let last = [...start];
  for (let tried = 0; tried < rules.length && lines.length < mostLines;) {
    const { from = "", to = "" } = rules[tried] ?? {};
    const place = last.findIndex((letter, i) => `${letter}${last[i + 1]}` === from);
    if (place < 0) {
      lines.push(`${spaced(from)} no`);
      tried += 1;
      continue;
    }
    const [before, after] = [last.slice(0, place), last.slice(place + 2)];
    const marked = [...before, ...from.toUpperCase().split(""), ...after].join(" ");
    last = [...before, ...to.split(""), ...after];
    lines.push(`${spaced(from)} to ${spaced(to)}: ${marked}`, last.join(" "));
    tried = 0;
  }
  return { lines: [...lines, last.join(" ")], last };
}

/** The same without steps, on the unspaced string. */
function rewritten(text: string, rules: readonly Rule[]): string {
  const rule = rules.find(({ from }) => text.includes(from));
  return rule === undefined ? text : rewritten(text.replace(rule.from, rule.to), rules);
}

function spaced(letters: string): string {
  return letters.split("").join(" ");
}
