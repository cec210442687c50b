import { finalAnswer } from "@levin/tasks";
import type { Item } from "../data/item.ts";
import { answerWords } from "../metrics/answer-overlap.ts";
import type { BenchmarkTask, SubmittedPrediction } from "../suites/benchmark-task.ts";
import { chosen, type Answerer } from "./answerer.ts";
import { promptOf, shotsText } from "./prompt.ts";

/** Replies to prompts, in their order; may think first. */
export type Ask = (prompts: readonly string[]) => Promise<string[]>;

/**
 * Answers with what a model writes when it is asked, as a chat would ask. A reply is right when its
 * first words, behind a thought, are an option's; where none is, the value is −1, which is wrong in
 * every metric.
 *
 * @param together prompts that are asked at once, default 8
 */
export function generationAnswerer(
  task: BenchmarkTask,
  ask: Ask,
  { examples = [], together = 8 }: { examples?: readonly Item[]; together?: number } = {},
): Answerer {
  const shots = shotsText(task, examples);
  return {
    together,
    answer: async (items) => {
      const replies = await ask(items.map((item) => shots + questionOf(task, item)));
      return items.map((item, i) => readReply(task, item, replies[i]!));
    },
    dispose: () => undefined,
  };
}

function questionOf(task: BenchmarkTask, item: Item): string {
  const prompt = promptOf(task, item).replace(/\nAnswer:$/, "");
  if (!item.choices) return prompt;
  const blank = item.fields["after"] === undefined ? " …" : `___${item.fields["after"]}`;
  return `${prompt}${blank}\nWhich of these fits best?\n${item.choices.join("\n")}`;
}

/** The prediction that a reply stands for. */
export function readReply(task: BenchmarkTask, item: Item, reply: string): SubmittedPrediction {
  const answer = finalAnswer(reply);
  if (task.kind.type === "score") {
    const number = /-?\d+(?:\.\d+)?/.exec(answer);
    const { lowest, highest } = task.kind;
    if (!number) return { id: item.id, value: -1 };
    return { id: item.id, value: Math.min(highest, Math.max(lowest, Number(number[0]))) };
  }
  const words = answerWords(answer);
  const options = (item.choices ?? task.template.answers!).map(answerWords);
  const begins = options.map((option) =>
    option.length > 0 && option.every((word, i) => word === words[i]) ? option.length : 0,
  );
  // Of options that begin alike, the longest.
  const longest = Math.max(...begins);
  return chosen(task.kind, item, longest === 0 ? -1 : begins.indexOf(longest));
}
