import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import {
  newAnswer,
  pathTo,
  withAnswer,
  withFollowing,
  withMessages,
  type Answer,
  type Conversation,
  type Message,
} from "../chats/conversation.ts";
import { newId } from "../chats/new-id.ts";
import { thisTab } from "../chats/tabs.ts";
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
  const stopEverywhere = useStopping(running);
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
    const next = newAnswer(results.at(-1)!.id, variant, thisTab);
    chats.change(id, (conversation) =>
      withFollowing(withAnswer(conversation, answer), answer.id, [...results, next]),
    );
    await run(id, [...path, answer, ...results], next, variant);
  };
  return {
    ask(conversation, added, variants) {
      const asking = (now: Conversation): Conversation =>
        added.reduce((sofar, message) => withMessages(sofar, [message]), {
          ...now,
          leaf: conversation.leaf,
        });
      const asked = asking(conversation);
      const comparison = variants.length > 1 ? { comparison: newId() } : {};
      const answers = variants.map((variant) => ({
        ...newAnswer(asked.leaf, variant, thisTab),
        ...comparison,
      }));
      const path = pathTo(asked);
      chats.change(conversation.id, (now) => withMessages(asking(now), answers));
      answers.forEach((answer, index) => {
        void run(conversation.id, path, answer, variants[index]!);
      });
    },
    stop: ({ messages }) => stopEverywhere(messages.map(({ id }) => id)),
  };
}

/** Stops answers by their ids, in whichever tab they stream. */
function useStopping(
  running: RefObject<Map<string, AbortController>>,
): (ids: readonly string[]) => void {
  const tabs = useMemo(() => new BroadcastChannel("levin-stop"), []);
  const stopHere = (ids: readonly string[]): void => {
    for (const id of ids) running.current?.get(id)?.abort();
  };
  useEffect(() => {
    const stop = ({ data }: MessageEvent<string[]>): void => stopHere(data);
    tabs.addEventListener("message", stop);
    return () => tabs.removeEventListener("message", stop);
  }, [tabs]);
  return (ids) => {
    stopHere(ids);
    // A channel reaches this origin alone.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    tabs.postMessage(ids);
  };
}
