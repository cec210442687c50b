import type { Random } from "../random.ts";

/** What a story is told with; `most` bounds its numbers. */
export interface StoryParts {
  random: Random;
  most: number;
  name: string;
  other: string;
  things: string;
}

/** A told story: its text, the expression that solves it, and the true result. */
export interface ToldStory {
  prompt: string;
  expression: string;
  truth: number;
}

/** A kind of story and the number of its steps. */
export interface Story {
  steps: 1 | 2;
  tell(parts: StoryParts): ToldStory;
}

/** A start of at least 2 and a smaller part of it. */
function startAndPart({ random, most }: StoryParts): [number, number] {
  const start = random.integer(2, most);
  return [start, random.integer(1, start - 1)];
}

function twoNumbers({ random, most }: StoryParts): [number, number] {
  return [random.integer(2, most), random.integer(2, most)];
}

const ONE_STEP: readonly ((parts: StoryParts) => ToldStory)[] = [
  (parts) => {
    const [a, b] = twoNumbers(parts);
    const { name, things } = parts;
    const verb = parts.random.pick(["buys", "finds", "gets"]);
    const prompt = `${name} has ${a} ${things}. ${name} ${verb} ${b} more ${things}. How many ${things} does ${name} have now?`;
    return { prompt, expression: `${a}+${b}`, truth: a + b };
  },
  (parts) => {
    const [a, b] = startAndPart(parts);
    const { name, things } = parts;
    const verb = parts.random.pick(["loses", "sells", "gives away"]);
    const prompt = `${name} has ${a} ${things}. ${name} ${verb} ${b} ${things}. How many ${things} are left?`;
    return { prompt, expression: `${a}-${b}`, truth: a - b };
  },
  (parts) => {
    const [a, b] = twoNumbers(parts);
    const { name, other, things } = parts;
    const prompt = `${name} has ${a} ${things} and ${other} has ${b} ${things}. How many ${things} do they have together?`;
    return { prompt, expression: `${a}+${b}`, truth: a + b };
  },
  (parts) => {
    const [a, b] = startAndPart(parts);
    const { name, other, things } = parts;
    const prompt = `${name} has ${a} ${things} and ${other} has ${b} ${things}. How many more ${things} does ${name} have?`;
    return { prompt, expression: `${a}-${b}`, truth: a - b };
  },
  ({ random, name, things }) => {
    const [bags, each] = [random.integer(2, 9), random.integer(2, 9)];
    const prompt = `${name} has ${bags} bags. Each bag holds ${each} ${things}. How many ${things} does ${name} have?`;
    return { prompt, expression: `${bags}*${each}`, truth: bags * each };
  },
];

const TWO_STEPS: readonly ((parts: StoryParts) => ToldStory)[] = [
  (parts) => {
    const [a, b] = twoNumbers(parts);
    const c = parts.random.integer(1, a + b - 1);
    const { name, things } = parts;
    const prompt = `${name} has ${a} ${things}. ${name} buys ${b} more ${things} and then sells ${c} ${things}. How many ${things} are left?`;
    return { prompt, expression: `${a}+${b}-${c}`, truth: a + b - c };
  },
  (parts) => {
    const [a, b] = startAndPart(parts);
    const c = parts.random.integer(2, parts.most);
    const { name, things } = parts;
    const prompt = `${name} has ${a} ${things}. ${name} loses ${b} ${things} and then finds ${c} ${things}. How many ${things} does ${name} have now?`;
    return { prompt, expression: `${a}-${b}+${c}`, truth: a - b + c };
  },
  ({ random, most, name, things }) => {
    const [bags, each] = [random.integer(2, 9), random.integer(2, 9)];
    const more = random.integer(2, Math.min(most, 99));
    const prompt = `${name} has ${bags} bags. Each bag holds ${each} ${things}. ${name} gets ${more} more ${things}. How many ${things} does ${name} have now?`;
    return { prompt, expression: `${bags}*${each}+${more}`, truth: bags * each + more };
  },
];

/** All kinds of stories. */
export const STORIES: readonly Story[] = [
  ...ONE_STEP.map((tell): Story => ({ steps: 1, tell })),
  ...TWO_STEPS.map((tell): Story => ({ steps: 2, tell })),
];
