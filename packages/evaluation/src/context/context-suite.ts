/** What is said in a chat. */
export interface ChatTurn {
  role: "system" | "user" | "assistant";
  content: string;
}

/** Token ids of a chat up to where the model is to answer. */
export type EncodeChat = (turns: readonly ChatTurn[]) => number[];

/** A question about a long context. Its prompt is made when it is asked: a hundred of them need no memory. */
export interface ContextItem {
  /** `needle-4096-0-2`: suite, length, context, question. */
  id: string;
  suite: string;
  /** Tokens of prompt and answer together at most, by the model's own tokenizer. */
  length: number;
  /** Which of the contexts of this length. */
  context: number;
  /** Which of the questions about it. */
  question: number;
  /** Where in the context the answer lies: 0 at its beginning, 1 at its end; none when in many places. */
  depth?: number;
}

/** A context with a question, and what counts as an answer. */
export interface ContextPrompt {
  turns: readonly ChatTurn[];
  ids: readonly number[];
  /** What a perfect model replies. */
  answer: string;
  /** Share of the answer that a reply has, 0 to 1. */
  score: (reply: string) => number;
  /** The score to be expected of a guess. */
  chance: number;
}

/** A family of questions about long contexts. */
export interface ContextSuite {
  name: string;
  /** One sentence for people. */
  title: string;
  items: readonly ContextItem[];
  /** Tokens of an answer at most. */
  answerTokens: number;
  /** The same item always gives the same prompt. Throws ContextError when its length is too short. */
  promptOf(item: ContextItem): ContextPrompt;
}

/** What all suites are made of. */
export interface ContextOptions {
  encode: EncodeChat;
  /** Tokens of each length, prompt and answer together. */
  lengths: readonly number[];
  /** Where answers lie, 0 to 1. */
  depths: readonly number[];
  /** Contexts of each length. */
  count: number;
  seed: number;
  /** Needles of a context, where a suite has several. */
  needles: number;
  /** Tokens kept free for a thought before the answer. */
  thinkingTokens: number;
}

/** Raised when a context can't be made. */
export class ContextError extends Error {
  override readonly name = "ContextError";
}

/** Items of all lengths, shortest first; all questions about one context stand together. */
export function planItems(
  suite: string,
  { lengths, count }: Pick<ContextOptions, "lengths" | "count">,
  depths: readonly (number | undefined)[],
): ContextItem[] {
  return lengths
    .toSorted((a, b) => a - b)
    .flatMap((length) =>
      Array.from({ length: count }, (_, context) =>
        depths.map((depth, question) => ({
          id: `${suite}-${length}-${context}-${question}`,
          ...{ suite, length, context, question },
          ...(depth !== undefined && { depth }),
        })),
      ).flat(),
    );
}

/** How many items stand together, as they are about one context. */
export function questionsOfContext(items: readonly ContextItem[]): number {
  const [first] = items;
  const isOther = ({ length, context }: ContextItem): boolean =>
    length !== first!.length || context !== first!.context;
  const others = items.findIndex(isOther);
  return Math.max(1, others < 0 ? items.length : others);
}

/** Seed of what belongs to one context, whatever its length; of one question when that is given. */
export function seedOf(seed: number, context: number, question = -1): number {
  return (seed * 1009 + context) * 1009 + question + 1;
}

/** Share of the answers that a reply contains, as RULER (arXiv 2404.06654) counts them. */
export function containedShare(answers: readonly string[], reply: string): number {
  return answers.filter((answer) => reply.includes(answer)).length / answers.length;
}
