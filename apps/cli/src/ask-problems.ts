import type { ChatTurn } from "@levin/evaluation";
import { generateBatch, PrefixCache, type GenerationOptions } from "@levin/model";
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

/** Replies to prompts that are asked as a chat would, all in one batch. */
export async function askPrompts(
  bundle: ModelBundle,
  prompts: readonly string[],
  options: GenerationOptions,
): Promise<string[]> {
  const chats = prompts.map((content): ChatTurn[] => [{ role: "user", content }]);
  return askChats(bundle, chats, options);
}

/**
 * Replies to chats, all in one batch; a chat that comes again is read once. One that is longer than the
 * model's context is cut at its beginning: it may be answered wrongly, but not keep others from an answer.
 */
export async function askChats(
  { model, tokenizer, chatTemplate: template }: ModelBundle,
  chats: readonly (readonly ChatTurn[])[],
  options: GenerationOptions,
): Promise<string[]> {
  const { maxPositionEmbeddings: context } = model.config;
  // At most half of the context is kept free for the answer.
  const longest = context - Math.min(options.maxNewTokens ?? context, context >> 1);
  const encoded = chats.map((turns) => {
    const ids = encodeChat(tokenizer, turns, { template });
    return ids.length < context ? ids : ids.slice(-longest);
  });
  const prefixes = new PrefixCache();
  try {
    const results = await generateBatch(model, tokenizer, encoded, { ...options, prefixes });
    return results.map(({ text }) => text);
  } finally {
    prefixes.dispose();
  }
}

/** Asks problems, all in one batch. */
export async function askProblems(
  bundle: ModelBundle,
  problems: readonly Problem[],
  options: GenerationOptions,
): Promise<JudgedReply[]> {
  const prompts = problems.map(({ prompt }) => prompt);
  return judged(problems, await askPrompts(bundle, prompts, options));
}

/** Problems with their replies. */
export function judged(problems: readonly Problem[], replies: readonly string[]): JudgedReply[] {
  return problems.map((problem, i) => {
    const reply = replies[i]!;
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
