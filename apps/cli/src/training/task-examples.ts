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
    const before = drawHistory(recipe, random);
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
  return problemExample(tokenizer, problem, { problems: [], thoughtsKept: false }, undefined);
}

function drawProblem({ maxDifficulty }: TaskRecipe, task: Task, random: Random): Problem {
  return generateProblem(task, random, { difficulty: random.fraction() * maxDifficulty });
}

/** What was asked and answered before. */
interface History {
  problems: Problem[];
  /** With their thoughts, as a session keeps them; otherwise as a client sends them. */
  thoughtsKept: boolean;
}

const mostTurns = 4;

function drawHistory(recipe: TaskRecipe, random: Random): History {
  const history: History = { problems: [], thoughtsKept: random.chance(0.5) };
  while (history.problems.length < mostTurns && random.chance(recipe.historyShare)) {
    history.problems.push(drawProblem(recipe, random.pick(allTasks), random));
  }
  return history;
}

/** Share of a thought that is shown before it is closed by force; undefined when it is not. */
function thoughtLength(recipe: TaskRecipe, random: Random): number | undefined {
  if (random.chance(recipe.directAnswerShare)) return 0;
  return random.chance(recipe.cutThoughtShare) ? random.fraction() : undefined;
}

function problemExample(
  tokenizer: Tokenizer,
  { prompt, thinking, answer }: Problem,
  before: History,
  shown: number | undefined,
): Example {
  const asked = questionIds(tokenizer, prompt, before);
  if (shown === undefined) {
    return example(tokenizer, asked, "", `${replyText(thinking, answer)}<end_of_sentence>`);
  }
  // Only the answer is learned after a thought that was closed for it; closing early is not.
  const cut = thinking.slice(0, Math.floor(shown * thinking.length));
  return example(tokenizer, asked, replyText(cut, ""), `${answer}<end_of_sentence>`);
}

function questionIds(tokenizer: Tokenizer, prompt: string, before: History): number[] {
  const messages: ChatMessage[] = [];
  const framed = (): number[] => encodeChat(tokenizer, messages, { template: m1ChatTemplate });
  const ask = (content: string): number => messages.push({ role: "user", content });
  const reply = (content: string): number => messages.push({ role: "assistant", content });
  const ids: number[] = [];
  // Length of what the template has written of it.
  let written = 0;
  const addFrame = (): void => {
    const frame = framed();
    ids.push(...frame.slice(written));
    written = frame.length;
  };
  for (const problem of before.problems) {
    ask(problem.prompt);
    if (before.thoughtsKept) {
      // The template would quote the marks of a thought, so such a reply is put into its frame.
      addFrame();
      ids.push(...tokenizer.encode(replyText(problem.thinking, problem.answer)));
    }
    reply(before.thoughtsKept ? "" : problem.answer);
  }
  ask(prompt);
  addFrame();
  return ids;
}

function example(
  tokenizer: Tokenizer,
  asked: readonly number[],
  given: string,
  learned: string,
): Example {
  const head = [...asked, ...tokenizer.encode(given)];
  const tail = tokenizer.encode(learned);
  return {
    ids: [...head, ...tail],
    learned: [...head.map(() => 0), ...tail.map(() => 1)],
  };
}
