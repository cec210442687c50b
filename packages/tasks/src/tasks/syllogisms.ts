import { answersName } from "../named-answer.ts";
import { NAMES } from "../names.ts";
import type { Random } from "../random.ts";
import { scaled, type Task } from "../task.ts";

/** "Every zim is a dop", or, denied, "No zim is a dop". */
interface Premise {
  subject: string;
  predicate: string;
  denied: boolean;
}

const PHRASINGS: readonly ((premises: string, name: string, a: string, b: string) => string)[] = [
  (premises, name, a, b) =>
    `${premises} ${name} is a ${a}. Is ${name} a ${b}? Answer yes, no or unknown.`,
  (premises, name, a, b) => `${name} is a ${a}. ${premises} Is ${name} a ${b}, yes, no or unknown?`,
  (premises, name, a, b) =>
    `${premises} If ${name} is a ${a}, is ${name} a ${b}? Say yes, no or unknown.`,
];

/** Made-up nouns, so that nothing but the premises counts. */
const NOUNS = (
  "bim blick dax dop fep fim gop gub jat kez lum mip nal pud rop sev tov vep wug zim " +
  "bof dup gaz hob jix kam lep mur nid pax"
).split(" ");

type Verdict = "yes" | "no" | "unknown";
const VERDICTS: readonly Verdict[] = ["yes", "no", "unknown"];

/** Chains of two to eight premises, each verdict as likely as the others. */
export const syllogisms: Task = {
  name: "syllogisms",
  description: 'Decide from premises such as "No zim is a dop" by yes, no or unknown.',
  generate(random, difficulty) {
    const wanted = random.pick(VERDICTS);
    const count = scaled(difficulty, 3, 8);
    for (;;) {
      const nouns = random.sample(NOUNS, count);
      const premises = drawPremises(random, nouns);
      const known = nouns[random.integer(0, Math.floor(count / 3))] ?? "";
      const asked = random.pick(nouns.filter((noun) => noun !== known));
      const truth = entailed(nouns, premises, known, asked);
      const name = random.pick(NAMES);
      const { lines, verdict } = chain(premises, name, known, asked);
      const words = lines.join(" ").split(" ").length;
      if (truth !== wanted || words < scaled(difficulty, 5, 9)) continue;
      const told = premises.map(written).join(" ");
      return {
        task: "syllogisms",
        key: `${told} ${known}: ${asked}?`,
        prompt: random.pick(PHRASINGS)(told, name, known, asked),
        thinking: lines.join("\n"),
        answer: verdict,
        verify: (text) => answersName(text, truth, [name, asked]),
      };
    }
  },
};

function written({ subject, predicate, denied }: Premise): string {
  return denied ? `No ${subject} is a ${predicate}.` : `Every ${subject} is a ${predicate}.`;
}

/** One premise about each noun but the last, pointing to one of the next two, in random order. */
function drawPremises(random: Random, nouns: readonly string[]): Premise[] {
  const premises = nouns.slice(0, -1).map((subject, i) => ({
    subject,
    predicate: random.pick(nouns.slice(i + 1, i + 3)),
    denied: random.chance(0.2),
  }));
  return random.sample(premises, premises.length);
}

/**
 * Two chains: from what is known to what is asked, then, if that is not reached, from what is asked
 * on. A denial at the end of one that names a noun of the other means "no":
 *
 *     Tom zim dop not fep
 *     gop fep
 *     fep: no
 */
function chain(
  premises: readonly Premise[],
  name: string,
  known: string,
  asked: string,
): { lines: string[]; verdict: Verdict } {
  const up = follow(premises, known, asked);
  const lines = [[name, ...up.nouns, up.end].join(" ")];
  const conclude = (reason: string, verdict: Verdict) => ({
    lines: [...lines, `${reason}: ${verdict}`],
    verdict,
  });
  if (up.nouns.includes(asked)) return conclude(asked, "yes");
  const other = follow(premises, asked, up.denied);
  lines.push([...other.nouns, other.end].join(" "));
  if (other.nouns.includes(up.denied)) return conclude(up.denied, "no");
  if (up.nouns.includes(other.denied)) return conclude(other.denied, "no");
  return conclude("end", "unknown");
}

/** Goes from noun to noun until `stop`, a denial or the end. */
function follow(
  premises: readonly Premise[],
  from: string,
  stop: string,
): { nouns: string[]; denied: string; end: string } {
  const nouns = [from];
  for (let last = from; last !== stop;) {
    const next = premises.find(({ subject }) => subject === last);
    if (next === undefined) return { nouns, denied: "", end: "end" };
    if (next.denied) return { nouns, denied: next.predicate, end: `not ${next.predicate}` };
    last = next.predicate;
    nouns.push(last);
  }
  return { nouns, denied: "", end: "stop" };
}

/** The verdict over all ways to be or not to be each noun that agree with the premises. */
function entailed(
  nouns: readonly string[],
  premises: readonly Premise[],
  known: string,
  asked: string,
): Verdict {
  const seen = new Set<boolean>();
  for (let world = 0; world < 2 ** nouns.length; world += 1) {
    const is = (noun: string) => ((world >> nouns.indexOf(noun)) & 1) === 1;
    const agrees = premises.every(
      ({ subject, predicate, denied }) => !is(subject) || is(predicate) !== denied,
    );
    if (agrees && is(known)) seen.add(is(asked));
  }
  if (seen.size !== 1) return "unknown";
  return seen.has(true) ? "yes" : "no";
}
