import { useRef, useState } from "preact/hooks";
import { streamChat, type ApiMessage } from "./chat-stream.ts";

/** A message on the page. */
export interface Message {
  role: "user" | "assistant";
  text: string;
  thought: string;
  thoughtTokens: number;
  tokens: number;
  /** Seconds since the first token. */
  seconds: number;
  state: "streaming" | "done" | "stopped" | "failed";
  /** What went wrong, when it failed. */
  error?: string;
}

export interface Conversation {
  messages: readonly Message[];
  busy: boolean;
  send: (text: string, thinkingBudget: number | undefined) => Promise<void>;
  stop: () => void;
  clear: () => void;
}

/** The conversation, and the one answer that may be streaming. */
export function useConversation(model: string): Conversation {
  const [messages, setMessages] = useState<readonly Message[]>([]);
  const controller = useRef<AbortController | undefined>(undefined);
  const busy = messages.at(-1)?.state === "streaming";

  const update = (change: (last: Message) => Partial<Message>): void =>
    setMessages((all) => {
      const last = all.at(-1);
      return last ? [...all.slice(0, -1), { ...last, ...change(last) }] : all;
    });

  const send = async (text: string, thinkingBudget: number | undefined): Promise<void> => {
    const question = newMessage("user", text);
    const history = [...answeredTurns(messages), question];
    setMessages([...messages, question, newMessage("assistant", "")]);
    controller.current = new AbortController();
    const { signal } = controller.current;
    let started: number | undefined;
    try {
      const options = { model, thinkingBudget, signal };
      for await (const delta of streamChat(history.map(toApi), options)) {
        const isToken = Boolean(delta.thought || delta.answer);
        if (isToken) started ??= performance.now();
        const seconds = started === undefined ? 0 : (performance.now() - started) / 1000;
        update((last) => ({
          text: last.text + (delta.answer ?? ""),
          thought: last.thought + (delta.thought ?? ""),
          thoughtTokens:
            delta.usage?.reasoningTokens ?? last.thoughtTokens + (delta.thought ? 1 : 0),
          tokens: delta.usage?.completionTokens ?? last.tokens + (isToken ? 1 : 0),
          ...(!delta.usage && { seconds }),
        }));
      }
      update(() => ({ state: "done" }));
    } catch (error) {
      if (signal.aborted) update(() => ({ state: "stopped" }));
      else update(() => ({ state: "failed", error: (error as Error).message }));
    }
  };

  return {
    messages,
    busy,
    send,
    stop: () => controller.current?.abort(),
    clear: () => {
      controller.current?.abort();
      setMessages([]);
    },
  };
}

/** Questions with an answer: one that failed, for its length say, would fail the next ones too. */
function answeredTurns(messages: readonly Message[]): Message[] {
  return messages.filter((message, index) => {
    const answer = message.role === "assistant" ? message : messages[index + 1];
    return answer !== undefined && answer.text !== "" && answer.state !== "failed";
  });
}

function newMessage(role: Message["role"], text: string): Message {
  const state = role === "user" ? "done" : "streaming";
  return { role, text, thought: "", thoughtTokens: 0, tokens: 0, seconds: 0, state };
}

function toApi({ role, text }: Message): ApiMessage {
  return { role, content: text };
}
