import {
  allTasks,
  createRandom,
  generateProblem,
  type Problem,
  type Random,
  type Task,
} from "@levin/tasks";
import { encodeChat, m1ChatTemplate, type ChatMessage, type Tokenizer } from "@levin/tokenizer";
import type { Example } from "@levin/training";
import type { Recipe } from "./recipe.ts";

/** A reply with its thought, as the model is to write it. */
export function replyText(thinking: string, answer: string): string {
  return thinking === ""
    ? `<think>\n</think>\n\n${answer}`
    : `<think>\n${thinking}\n</think>\n\n${answer}`;
}

/** Texts to learn a tokenizer from: problems with their thoughts, and the small talk. */
export function* tokenizerTexts(recipe: Recipe, sampleProblems: number): Generator<string> {
  const random = createRandom(recipe.seed - 1);
  for (const [question, answer] of recipe.dialogues) yield `${question}\n${answer}`;
  yield "ai name=assistant\nuser name=user\n".repeat(sampleProblems);
  for (let i = 0; i < sampleProblems; i++) {
    const problem = generateProblem(random.pick(allTasks), random);
    yield `${problem.prompt}\n${problem.thinking}\n${problem.answer}`;
  }
}

/** The examples of one training step; they depend on recipe and step alone. */
export function stepExamples(recipe: Recipe, tokenizer: Tokenizer, step: number): Example[] {
  const random = createRandom(Math.imul(recipe.seed, 0x9e3779b1) ^ step);
  const tasks = stratifiedTasks(recipe, random);
  return Array.from({ length: recipe.examplesPerStep }, () => {
    const task = tasks.next().value!;
    if (random.chance(recipe.dialogueShare)) return dialogueExample(recipe, tokenizer, random);
    const problem = drawProblem(recipe, task, random);
    const before = random.chance(recipe.historyShare) ? earlierTurn(recipe, random) : [];
    return problemExample(tokenizer, problem, before, thoughtLength(recipe, random));
  });
}

/** Tasks by their weights, spread evenly over each step so that its mixture varies little. */
function* stratifiedTasks(
  { taskWeights, examplesPerStep }: Recipe,
  random: Random,
): Generator<Task, undefined> {
  const weights = allTasks.map(({ name }) => taskWeights[name] ?? 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const start = random.fraction();
  for (let i = 0; i < examplesPerStep; i++) {
    let rest = ((i + start) / examplesPerStep) * total;
    yield allTasks[weights.findIndex((weight) => (rest -= weight) < 0)] ?? allTasks.at(-1)!;
  }
}

function drawProblem(recipe: Recipe, task: Task, random: Random): Problem {
  return generateProblem(task, random, { difficulty: random.fraction() * recipe.maxDifficulty });
}

/** Another question and its answer, with the thought (as a session keeps it) or without (as a client sends it). */
function earlierTurn(recipe: Recipe, random: Random): ChatMessage[] {
  const { prompt, thinking, answer } = drawProblem(recipe, random.pick(allTasks), random);
  return [
    { role: "user", content: prompt },
    { role: "assistant", content: random.chance(0.5) ? answer : replyText(thinking, answer) },
  ];
}

/** Share of a thought that is shown before it is closed by force; undefined when it is not. */
function thoughtLength(recipe: Recipe, random: Random): number | undefined {
  if (random.chance(recipe.directAnswerShare)) return 0;
  return random.chance(recipe.cutThoughtShare) ? random.fraction() : undefined;
}

function problemExample(
  tokenizer: Tokenizer,
  { prompt, thinking, answer }: Problem,
  before: readonly ChatMessage[],
  shown: number | undefined,
): Example {
  const messages: ChatMessage[] = [...before, { role: "user", content: prompt }];
  if (shown === undefined) {
    return example(tokenizer, messages, "", `${replyText(thinking, answer)}<end_of_sentence>`);
  }
  // Only the answer is learned after a thought that was closed for it; closing early is not.
  const cut = thinking.slice(0, Math.floor(shown * thinking.length));
  return example(tokenizer, messages, replyText(cut, ""), `${answer}<end_of_sentence>`);
}

function dialogueExample(recipe: Recipe, tokenizer: Tokenizer, random: Random): Example {
  const [question, answer] = random.pick(recipe.dialogues);
  const messages: ChatMessage[] = [{ role: "user", content: question }];
  return example(tokenizer, messages, "", `${replyText("", answer)}<end_of_sentence>`);
}

function example(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  given: string,
  learned: string,
): Example {
  const head = [
    ...encodeChat(tokenizer, messages, { template: m1ChatTemplate }),
    ...tokenizer.encode(given),
  ];
  const tail = tokenizer.encode(learned);
  return {
    ids: [...head, ...tail],
    learned: [...head.map(() => 0), ...tail.map(() => 1)],
  };
}
