import { useRef } from "preact/hooks";
import {
  pathTo,
  withAnswer,
  withFollowing,
  withMessages,
  type Answer,
  type Conversation,
  type Message,
} from "../chats/conversation.ts";
import type { Chats } from "../chats/use-chats.ts";
import { automaticResults } from "../tools/tool-round.ts";
import type { AnswerSource } from "./answer-source.ts";
import { apiMessages } from "./api-messages.ts";
import { streamAnswer } from "./stream-answer.ts";

/** How an answer is to be made; several make a comparison. */
export interface Variant {
  source: AnswerSource;
  model: string;
  /** Tokens of thought at most; null is no limit. */
  budget: number | null;
  /** Functions that the model may call, in OpenAI's form. */
  tools: readonly unknown[];
  label?: string;
}

export interface Answers {
  /**
   * Adds messages (a question, results of tools) to a conversation, and answers them.
   * @param added in order; with none, the conversation's leaf is answered
   */
  ask(conversation: Conversation, added: readonly Message[], variants: readonly Variant[]): void;
  /** Stops all answers of a conversation. */
  stop(conversation: Conversation): void;
}

/** The answers that stream, in any conversation. */
export function useAnswers(chats: Chats): Answers {
  const running = useRef(new Map<string, AbortController>());
  /** Streams an answer, and goes on for as long as it calls tools of the page. */
  const run = async (
    id: string,
    path: readonly Message[],
    empty: Answer,
    variant: Variant,
  ): Promise<void> => {
    const controller = new AbortController();
    running.current.set(empty.id, controller);
    const { model, budget: thinkingBudget, tools } = variant;
    const answer = await streamAnswer(
      variant.source,
      apiMessages(path),
      { model, thinkingBudget, tools, signal: controller.signal },
      empty,
      (now) => chats.change(id, (conversation) => withAnswer(conversation, now)),
    );
    running.current.delete(empty.id);
    const results = automaticResults(path, answer);
    if (results.length === 0) {
      chats.change(id, (conversation) => withAnswer(conversation, answer));
      return;
    }
    const next = newAnswer(results.at(-1)!.id, variant);
    chats.change(id, (conversation) =>
      withFollowing(withAnswer(conversation, answer), answer.id, [...results, next]),
    );
    await run(id, [...path, answer, ...results], next, variant);
  };
  return {
    ask(conversation, added, variants) {
      const asked = added.reduce((now, message) => withMessages(now, [message]), conversation);
      const comparison = variants.length > 1 ? { comparison: crypto.randomUUID() } : {};
      const answers = variants.map((variant) => ({
        ...newAnswer(asked.leaf, variant),
        ...comparison,
      }));
      const path = pathTo(asked);
      chats.change(conversation.id, () => withMessages(asked, answers));
      answers.forEach((answer, index) => {
        void run(conversation.id, path, answer, variants[index]!);
      });
    },
    stop: ({ messages }) => {
      for (const { id } of messages) running.current.get(id)?.abort();
    },
  };
}

function newAnswer(parent: string | null, { model, budget, label }: Variant): Answer {
  return {
    id: crypto.randomUUID(),
    parent,
    role: "assistant",
    text: "",
    thought: "",
    budget,
    toolCalls: [],
    cost: {
      promptTokens: 0,
      cachedTokens: 0,
      tokens: 0,
      thoughtTokens: 0,
      readSeconds: 0,
      seconds: 0,
    },
    state: "streaming",
    model,
    ...(label !== undefined && { label }),
  };
}
