import { answersNumber } from "../final-answer.ts";
import type { Random } from "../random.ts";
import { scaled, type Task } from "../task.ts";

const PHRASINGS: readonly ((chain: string) => string)[] = [
  (chain) => `What is ${chain}?`,
  (chain) => `Calculate ${chain}.`,
  (chain) => `Work out ${chain}.`,
  (chain) => `How much is ${chain}?`,
];

/** From this difficulty on some factors are sums or differences in brackets. */
const BRACKETS_FROM = 0.5;

/** One operation at a time: what is in brackets first, then products, then from the left. */
const NEXT_OPERATION = [/\((\d+)([+-])(\d+)\)/, /(\d+)(\*)(\d+)/, /^(\d+)([+-])(\d+)/];

/** Sums and differences of numbers and small products; no partial result is negative. */
export const arithmeticChains: Task = {
  name: "arithmetic-chains",
  description: "Work out a chain of sums, differences and small products, with brackets at last.",
  generate(random, difficulty) {
    const { chain, truth } = drawChain(random, difficulty);
    const lines = reduce(chain);
    return {
      task: "arithmetic-chains",
      key: chain,
      prompt: random.pick(PHRASINGS)(chain.replace(/[-+*]/g, " $& ")),
      thinking: [chain, ...lines].join("\n"),
      answer: /\d+$/.exec(lines.at(-1) ?? "")?.[0] ?? "",
      verify: (text) => answersNumber(text, truth),
    };
  },
};

interface Term {
  text: string;
  value: number;
}

function drawChain(random: Random, difficulty: number): { chain: string; truth: number } {
  let { text: chain, value: truth } = drawTerm(random, difficulty);
  const terms = scaled(difficulty, 3, 6);
  for (let i = 1; i < terms; i += 1) {
    const term = drawTerm(random, difficulty);
    // Products come first, so the partial results are those of the terms from the left.
    const minus = term.value <= truth && random.chance(0.5);
    chain += `${minus ? "-" : "+"}${term.text}`;
    truth += minus ? -term.value : term.value;
  }
  return { chain, truth };
}

function drawTerm(random: Random, difficulty: number): Term {
  if (random.chance(0.65)) {
    const value = random.integer(1, scaled(difficulty, 9, 40));
    return { text: String(value), value };
  }
  const most = scaled(difficulty, 5, 9);
  const [left, right] = [random.integer(2, most), random.integer(2, most)];
  if (difficulty < BRACKETS_FROM || random.chance(0.5)) {
    return { text: `${left}*${right}`, value: left * right };
  }
  const part = random.integer(1, right - 1);
  const bracket = random.chance(0.5) ? `(${right - part}+${part})` : `(${right + part}-${part})`;
  return { text: `${left}*${bracket}`, value: left * right };
}

/** Each line works out one operation and copies the rest: "5*2=10: 7+12-10". */
function reduce(chain: string): string[] {
  for (const pattern of NEXT_OPERATION) {
    const found = pattern.exec(chain);
    if (found) {
      const [operation, left, sign, right] = found;
      const result = String(apply(sign ?? "", Number(left), Number(right)));
      const rest = chain.replace(operation, result);
      const line = `${operation}=${result}`;
      return rest === result ? [line] : [`${line}: ${rest}`, ...reduce(rest)];
    }
  }
  return [];
}

function apply(sign: string, left: number, right: number): number {
  if (sign === "*") return left * right;
  return sign === "+" ? left + right : left - right;
}
