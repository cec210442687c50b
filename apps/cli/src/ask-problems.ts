import { generateBatch, type GenerationOptions } from "@levin/model";
import type { Problem } from "@levin/tasks";
import { encodeChat } from "@levin/tokenizer";
import type { ModelBundle } from "./load-bundle.ts";

/** A problem with the reply of a model, and whether its verifier accepts it. */
export interface JudgedReply {
  problem: Problem;
  reply: string;
  right: boolean;
}

/** Share of right replies over all problems, and of each task. */
export interface Accuracy {
  accuracy: number;
  accuracies: Record<string, number>;
}

/** Asks problems as a chat would, all in one batch. */
export async function askProblems(
  { model, tokenizer, chatTemplate: template }: ModelBundle,
  problems: readonly Problem[],
  options: GenerationOptions,
): Promise<JudgedReply[]> {
  const prompts = problems.map(({ prompt }) =>
    encodeChat(tokenizer, [{ role: "user", content: prompt }], { template }),
  );
  const results = await generateBatch(model, tokenizer, prompts, options);
  return problems.map((problem, i) => {
    const reply = results[i]!.text;
    return { problem, reply, right: problem.verify(reply) };
  });
}

/** How many of at least one reply are right. */
export function accuracyOf(replies: readonly JudgedReply[]): Accuracy {
  const share = (of: typeof replies): number => of.filter(({ right }) => right).length / of.length;
  const ofTask = (task: string): typeof replies =>
    replies.filter(({ problem }) => problem.task === task);
  const tasks = new Set(replies.map(({ problem }) => problem.task));
  return {
    accuracy: share(replies),
    accuracies: Object.fromEntries([...tasks].map((task) => [task, share(ofTask(task))])),
  };
}
