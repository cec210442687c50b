import {
  allTasks,
  createRandom,
  generateProblem,
  type Problem,
  type Random,
  type Task,
} from "@levin/tasks";
import { encodeChat, m1ChatTemplate, type ChatMessage, type Tokenizer } from "@levin/tokenizer";
import { ExampleError, type Example } from "@levin/training";
import type { TaskRecipe } from "./recipe.ts";

/** A reply with its thought, as the model is to write it. */
export function replyText(thinking: string, answer: string): string {
  return thinking === ""
    ? `<think>\n</think>\n\n${answer}`
    : `<think>\n${thinking}\n</think>\n\n${answer}`;
}

/** The tasks that have a weight, with it. */
export function weightedTasks({
  taskWeights,
  otherTaskWeight,
}: Pick<TaskRecipe, "taskWeights" | "otherTaskWeight">): { task: Task; weight: number }[] {
  return allTasks
    .map((task) => ({ task, weight: taskWeights[task.name] ?? otherTaskWeight }))
    .filter(({ weight }) => weight > 0);
}

/** Draws until an example is short enough. */
const mostDraws = 1000;

/**
 * An example of a task, of at most `maxTokens`; it depends on these arguments alone.
 * @throws ExampleError when all of many are longer
 */
export function taskExample(recipe: TaskRecipe, draw: TaskDraw): Example {
  const { task, maxTokens } = draw;
  for (const [number, found] of drawExamples(recipe, draw)) {
    if (found.ids.length <= maxTokens) return found;
    if (number === mostDraws) break;
  }
  throw new ExampleError(
    `${task.name}: expected examples of at most ${maxTokens} tokens, found none in ${mostDraws}`,
  );
}

/** Whether a good part of a task's examples are short enough. */
export function isShortEnough(recipe: TaskRecipe, draw: TaskDraw): boolean {
  let short = 0;
  for (const [number, { ids }] of drawExamples(recipe, draw)) {
    if (ids.length <= draw.maxTokens) short += 1;
    if (short === 4) return true;
    if (number === 40) break;
  }
  return false;
}

function* drawExamples(
  recipe: TaskRecipe,
  { tokenizer, task, seed }: TaskDraw,
): Generator<[number, Example], void> {
  const random = createRandom(seed);
  for (let number = 1; ; number++) {
    const problem = drawProblem(recipe, task, random);
    const before = random.chance(recipe.historyShare) ? earlierTurn(recipe, random) : [];
    const shown = thoughtLength(recipe, random);
    yield [number, problemExample(tokenizer, problem, before, shown)];
  }
}

export interface TaskDraw {
  tokenizer: Tokenizer;
  task: Task;
  maxTokens: number;
  seed: number;
}

/** A problem with its whole thought and answer. */
export function workedExample(tokenizer: Tokenizer, problem: Problem): Example {
  return problemExample(tokenizer, problem, [], undefined);
}

function drawProblem({ maxDifficulty }: TaskRecipe, task: Task, random: Random): Problem {
  return generateProblem(task, random, { difficulty: random.fraction() * maxDifficulty });
}

/** Another question and its answer, with the thought (as a session keeps it) or without (as a client sends it). */
function earlierTurn(recipe: TaskRecipe, random: Random): ChatMessage[] {
  const { prompt, thinking, answer } = drawProblem(recipe, random.pick(allTasks), random);
  return [
    { role: "user", content: prompt },
    { role: "assistant", content: random.chance(0.5) ? answer : replyText(thinking, answer) },
  ];
}

/** Share of a thought that is shown before it is closed by force; undefined when it is not. */
function thoughtLength(recipe: TaskRecipe, random: Random): number | undefined {
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
