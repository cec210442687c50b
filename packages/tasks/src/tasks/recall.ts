import { answersNumber } from "../final-answer.ts";
import { NAMES } from "../names.ts";
import type { Task } from "../task.ts";

interface Phrasing {
  fact: (name: string, code: number) => string;
  question: (name: string) => string;
}

const PHRASINGS: readonly Phrasing[] = [
  {
    fact: (name, code) => `The code of ${name} is ${code}.`,
    question: (name) => `What is the code of ${name}?`,
  },
  {
    fact: (name, code) => `${name} has the number ${code}.`,
    question: (name) => `Which number does ${name} have?`,
  },
  {
    fact: (name, code) => `The key of ${name} is ${code}.`,
    question: (name) => `Tell me the key of ${name}.`,
  },
  {
    fact: (name, code) => `${name} lives in house ${code}.`,
    question: (name) => `In which house does ${name} live?`,
  },
];

const FEWEST_PAIRS = 2;
const MOST_PAIRS = 60;

/** One of up to sixty facts, asked for at the end of a long prompt. */
export const recall: Task = {
  name: "recall",
  description: "Find one person's number among up to sixty in a long prompt.",
  generate(random, difficulty) {
    // Geometric growth: every length from short to long gets its share of practice.
    const count = Math.round(FEWEST_PAIRS * (MOST_PAIRS / FEWEST_PAIRS) ** difficulty);
    const codes = new Map(
      random.sample(NAMES, count).map((name) => [name, random.integer(1000, 9999)]),
    );
    const asked = random.pick([...codes.keys()]);
    const { fact, question } = random.pick(PHRASINGS);
    const facts = [...codes].map(([name, code]) => fact(name, code));
    const quoted = facts.find((line) => line.split(/\W+/).includes(asked)) ?? "";
    return {
      task: "recall",
      key: `${asked}? ${[...codes].flat().join(" ")}`,
      prompt: `${facts.join(" ")} ${question(asked)}`,
      thinking: quoted,
      answer: /\d+/.exec(quoted)?.[0] ?? "",
      verify: (text) => answersNumber(text, codes.get(asked) ?? Number.NaN),
    };
  },
};
