import { basename } from "node:path";
import { createRandom, evaluationProblems, generateProblem, type Problem } from "@levin/tasks";
import { encodeConversation, m1ChatTemplate as template, type Tokenizer } from "@levin/tokenizer";
import {
  limitLengths,
  mixExamples,
  splitExamples,
  type Example,
  type ExampleSource,
} from "@levin/training";
import { readChatDataset, type Conversation } from "@levin/training/node";
import { RecipeError, type Recipe, type TaskRecipe } from "./recipe.ts";
import { isShortEnough, taskExample, weightedTasks, workedExample } from "./task-examples.ts";

/** One of the things that a recipe mixes. */
export interface Source {
  /** `tasks`, `dialogues` or the name of a file. */
  name: string;
  weight: number;
  /** What to mix, of examples up to a length. */
  upTo(maxTokens: number): ExampleSource[];
  /** Examples that are never learned. */
  heldOut: Example[];
  /** Held-out problems with a verifier. */
  problems: Problem[];
}

/**
 * Opens all sources of a recipe.
 * @param longest tokens of the longest example that will ever be learned
 * @param notice is told what was cut or left out
 */
export async function openSources(
  recipe: Recipe,
  tokenizer: Tokenizer,
  {
    longest,
    notice = () => {},
  }: { longest: number; notice?: ((text: string) => void) | undefined },
): Promise<Source[]> {
  const { tasks, dialogues, datasets } = recipe.sources;
  const sources: Source[] = [];
  if (tasks) sources.push(taskSource(tasks, recipe, tokenizer));
  if (dialogues) {
    const examples = dialogues.pairs.map(([question, answer]) =>
      encodeConversation(
        tokenizer,
        [
          { role: "user", content: question },
          { role: "assistant", content: answer },
        ],
        { template },
      ),
    );
    sources.push(fixedSource("dialogues", dialogues.weight, examples));
  }
  for (const { path, weight, heldOutShare } of datasets) {
    const all: Example[] = [];
    for await (const { messages, tools } of readChatDataset(path)) {
      all.push(encodeConversation(tokenizer, messages, { template, ...(tools && { tools }) }));
    }
    const { examples, cut, dropped } = limitLengths(all, longest);
    notice(
      `${path}: ${all.length} conversations, ${cut} cut to ${longest} tokens, ${dropped} left out as too long`,
    );
    const { train, heldOut } = splitExamples(examples, { share: heldOutShare, seed: recipe.seed });
    sources.push(fixedSource(basename(path), weight, train, heldOut));
  }
  return sources;
}

/** The examples of each step, of all sources together and at most `maxTokens` long. */
export function mixture(
  sources: readonly Source[],
  { examplesPerStep, seed }: Recipe,
  maxTokens: number,
): (step: number) => Example[] {
  return mixExamples(
    sources.flatMap((source) => source.upTo(maxTokens)),
    { examplesPerStep, seed },
  );
}

function taskSource(tasks: TaskRecipe, recipe: Recipe, tokenizer: Tokenizer): Source {
  const chosen = weightedTasks(tasks);
  const count = recipe.evaluation?.problemsPerTask ?? 0;
  const problems = chosen.flatMap(({ task }) =>
    evaluationProblems(task, { count, seed: recipe.seed, maxDifficulty: tasks.maxDifficulty }),
  );
  return {
    name: "tasks",
    weight: tasks.weight,
    // Tasks that are too long for a stage wait for a later one.
    upTo: (maxTokens) => {
      const seed = recipe.seed;
      const short = chosen.filter(({ task }) =>
        isShortEnough(tasks, { tokenizer, task, maxTokens, seed }),
      );
      if (short.length === 0) {
        throw new RecipeError(`tasks: expected one of at most ${maxTokens} tokens, found none`);
      }
      const total = short.reduce((sum, { weight }) => sum + weight, 0);
      return short.map(({ task, weight }, number) => ({
        weight: (tasks.weight * weight) / total,
        examples: (place) =>
          taskExample(tasks, {
            tokenizer,
            task,
            maxTokens,
            seed: Math.imul(seed * 64 + number, 0x9e3779b1) ^ place,
          }),
      }));
    },
    heldOut: problems.map((problem) => workedExample(tokenizer, problem)),
    problems,
  };
}

function fixedSource(
  name: string,
  weight: number,
  examples: readonly Example[],
  heldOut: Example[] = [],
): Source {
  return {
    name,
    weight,
    upTo: (maxTokens) => {
      const short = examples.filter(({ ids }) => ids.length <= maxTokens);
      if (short.length === 0) {
        throw new RecipeError(
          `${name}: expected at least one example of at most ${maxTokens} tokens, found none`,
        );
      }
      return [{ examples: short, weight }];
    },
    heldOut,
    problems: [],
  };
}

/** Texts to learn a tokenizer from. */
export async function tokenizerTexts(recipe: Recipe, sampleProblems: number): Promise<string[]> {
  const { tasks, dialogues, datasets } = recipe.sources;
  const texts = (dialogues?.pairs ?? []).map(([question, answer]) => `${question}\n${answer}`);
  texts.push("ai name=assistant\nuser name=user\n".repeat(sampleProblems));
  const random = createRandom(recipe.seed - 1);
  const chosen = tasks ? weightedTasks(tasks) : [];
  for (let i = 0; chosen.length > 0 && i < sampleProblems; i++) {
    const problem = generateProblem(random.pick(chosen).task, random);
    texts.push(`${problem.prompt}\n${problem.thinking}\n${problem.answer}`);
  }
  for (const { path } of datasets) {
    for await (const { messages } of readChatDataset(path))
      texts.push(...messages.map(messageText));
  }
  return texts;
}

function messageText({ content, ...message }: Conversation["messages"][number]): string {
  const said = typeof content === "string" ? content : content.map(({ text }) => text).join("");
  return "reasoning_content" in message ? `${message.reasoning_content ?? ""}\n${said}` : said;
}
