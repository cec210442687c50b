import { plainWords } from "../named-answer.ts";
import { NAMES } from "../names.ts";
import type { Random } from "../random.ts";
import { scaled, type Task } from "../task.ts";
import { drawClaim, type Claim } from "./knight-claims.ts";

const PHRASINGS: readonly ((said: string) => string)[] = [
  (said) => `Knights tell the truth and knaves lie. ${said} Who is a knight?`,
  (said) => `Knights always tell the truth, knaves always lie. ${said} Who are the knights?`,
  (said) => `${said} Knights tell the truth and knaves lie. Name the knights.`,
];

const LONGEST_THOUGHT = 1200;

/** Two to four people, each with one statement, and exactly one way to be knights and knaves. */
export const knightsAndKnaves: Task = {
  name: "knights-and-knaves",
  description: "Find out from their statements who tells the truth and who lies.",
  generate(random, difficulty) {
    const people = random.sample(NAMES, scaled(difficulty, 2, 4));
    const claims = drawClaims(random, people);
    const said = people.map((person, i) => `${person} says ${claims[i]?.text}.`).join(" ");
    const { lines, knights } = tryAll(people, claims);
    const thinking = lines.join("\n");
    if (thinking.length > LONGEST_THOUGHT) return knightsAndKnaves.generate(random, difficulty);
    return {
      task: "knights-and-knaves",
      key: said,
      prompt: random.pick(PHRASINGS)(said),
      thinking,
      answer: knights.join(" and "),
      verify: (text) => {
        const named = namedKnights(text, people);
        return (
          named !== undefined &&
          consistent(
            claims,
            people.map((each) => named.has(each)),
          )
        );
      },
    };
  },
};

/** Claims that hold together in exactly one way, with at least one knight. */
function drawClaims(random: Random, people: readonly string[]): Claim[] {
  for (;;) {
    const claims = people.map((_, speaker) => drawClaim(random, people, speaker));
    const [only, ...others] = allWays(people.length).filter((way) => consistent(claims, way));
    if (only?.includes(true) && others.length === 0) return claims;
  }
}

/** Every way to be knights (true) and knaves, beginning with knights only. */
function allWays(count: number): boolean[][] {
  if (count === 0) return [[]];
  return [true, false].flatMap((first) => allWays(count - 1).map((rest) => [first, ...rest]));
}

/** Whether exactly the knights' claims hold. */
function consistent(claims: readonly Claim[], way: readonly boolean[]): boolean {
  return claims.every((claim, speaker) => claim.holds(way) === way[speaker]);
}

/**
 * The claims in short, 1 for a knight and 0 for a knave, then each way with the claims put to the
 * test until one speaks against it:
 *
 *     Amy: Bob 0
 *     Bob: Amy 0 and Bob 0
 *     Amy 1 Bob 1: Amy 1, 1=0 no, bad
 *     Amy 1 Bob 0: Amy 1, 0=0 yes, ok. Bob 0, 1=0 and 0=0 no, ok
 *     Amy
 */
function tryAll(
  people: readonly string[],
  claims: readonly Claim[],
): { lines: string[]; knights: string[] } {
  const lines = claims.map((claim, speaker) => `${people[speaker]}: ${claim.short}`);
  for (const way of allWays(people.length)) {
    const checks: string[] = [];
    for (const [speaker, claim] of claims.entries()) {
      const holds = claim.holds(way);
      const verdict = `${holds ? "yes" : "no"}, ${holds === way[speaker] ? "ok" : "bad"}`;
      checks.push(`${people[speaker]} ${Number(way[speaker])}, ${claim.tested(way)} ${verdict}`);
      if (holds !== way[speaker]) break;
    }
    const state = people.map((person, i) => `${person} ${Number(way[i])}`).join(" ");
    lines.push(`${state}: ${checks.join(". ")}`);
    if (!checks.at(-1)?.endsWith("bad")) {
      const knights = people.filter((_, i) => way[i]);
      return { lines: [...lines, knights.join(" and ")], knights };
    }
  }
  return { lines, knights: [] };
}

/**
 * The people an answer calls knights: "Amy and Bob", "Knights: Amy, Bob", "Amy is a knight and Cara
 * is a knave". Undefined when it says anything else or names somebody twice.
 */
function namedKnights(text: string, people: readonly string[]): Set<string> | undefined {
  const knights = new Set<string>();
  const named = new Set<string>();
  let waiting: string[] = [];
  for (const word of plainWords(text)) {
    const person = people.find((each) => each.toLowerCase() === word);
    if (person !== undefined && !named.has(person)) {
      named.add(person);
      waiting.push(person);
    } else if (/^knights?$/.test(word)) {
      for (const each of waiting) knights.add(each);
      waiting = [];
    } else if (/^knaves?$/.test(word)) waiting = [];
    else return undefined;
  }
  for (const each of waiting) knights.add(each);
  return knights;
}
