import { newId } from "./new-id.ts";

/** A part of a question that came as a file or as a long paste. */
export interface Attachment {
  name: string;
  text: string;
}

/** A call of a function that the model asks for. */
export interface ToolCall {
  id: string;
  name: string;
  /** JSON, as the model wrote it. */
  arguments: string;
}

/** How far a prompt is read, in tokens. */
export interface PromptRead {
  /** Those kept from before included. */
  done: number;
  total: number;
  /** Tokens whose state was kept from before. */
  cached: number;
}

/** What an answer has cost so far. */
export interface Cost {
  /** Tokens of the prompt, known once the model has read it. */
  promptTokens: number;
  /** Of the prompt, those whose state was kept from before. */
  cachedTokens: number;
  /** Thought included. */
  tokens: number;
  thoughtTokens: number;
  /** Seconds until the first token. */
  readSeconds: number;
  /** Seconds since the first token. */
  seconds: number;
}

interface Turn {
  id: string;
  /** The message that it follows; null for a first question. */
  parent: string | null;
  text: string;
}

export interface Question extends Turn {
  role: "user";
  attachments: readonly Attachment[];
}

export interface ToolResult extends Turn {
  role: "tool";
  call: ToolCall;
}

export interface Answer extends Turn {
  role: "assistant";
  thought: string;
  /** Tokens that the thought may take; null is no limit. */
  budget: number | null;
  toolCalls: readonly ToolCall[];
  cost: Cost;
  state: "streaming" | "done" | "stopped" | "failed";
  /** The tab that it streams into. */
  tab: string;
  /** What went wrong, when it failed. */
  error?: string;
  /** How far the prompt is read, where the model tells. */
  read?: PromptRead;
  /** Answers of one comparison share it. */
  comparison?: string;
  /** Which side of the comparison it is. */
  label?: string;
  /** Who answered. */
  model: string;
}

export type Message = Question | ToolResult | Answer;

/**
 * A tree of messages: each names the one it follows, so that an edited question or a second answer
 * stands beside the first. What is shown is the way from the root to `leaf`.
 */
export interface Conversation {
  id: string;
  title: string;
  /** Milliseconds since 1970. */
  updated: number;
  messages: readonly Message[];
  leaf: string | null;
}

const longestTitle = 60;

export function newConversation(): Conversation {
  return {
    id: newId(),
    title: "",
    updated: Date.now(),
    messages: [],
    leaf: null,
  };
}

/** Messages from the first question to a message; by default to the one shown last. */
export function pathTo(conversation: Conversation, id = conversation.leaf): Message[] {
  const byId = new Map(conversation.messages.map((message) => [message.id, message]));
  const path: Message[] = [];
  for (let at = byId.get(id ?? ""); at; at = byId.get(at.parent ?? "")) path.unshift(at);
  return path;
}

/** Messages that stand in the same place, itself included, oldest first. */
export function versionsOf(conversation: Conversation, { parent }: Message): Message[] {
  return conversation.messages.filter((other) => other.parent === parent);
}

/** Adds messages, and shows the first of them. The first question names the conversation. */
export function withMessages(conversation: Conversation, added: readonly Message[]): Conversation {
  const [first] = added;
  return {
    ...conversation,
    title: conversation.title || titleOf(first!),
    updated: Date.now(),
    messages: [...conversation.messages, ...added],
    leaf: first!.id,
  };
}

/** Adds messages behind another one; they are shown if that one was shown last. */
export function withFollowing(
  conversation: Conversation,
  id: string,
  added: readonly Message[],
): Conversation {
  const leaf = conversation.leaf === id ? added.at(-1)!.id : conversation.leaf;
  return { ...conversation, messages: [...conversation.messages, ...added], leaf };
}

/** Has an answer as it is by now. */
export function withAnswer(conversation: Conversation, answer: Answer): Conversation {
  const messages = conversation.messages.map((message) =>
    message.id === answer.id ? answer : message,
  );
  return { ...conversation, updated: Date.now(), messages };
}

/** Shows a message and what was said last after it. */
export function showing(conversation: Conversation, id: string): Conversation {
  const next = conversation.messages.findLast((message) => message.parent === id);
  return next ? showing(conversation, next.id) : { ...conversation, leaf: id };
}

/** A new conversation that begins like this one, up to a message. */
export function branchAt(conversation: Conversation, id: string): Conversation {
  const messages = pathTo(conversation, id);
  return {
    ...newConversation(),
    title: conversation.title && `${conversation.title} (branch)`,
    messages,
    leaf: id,
  };
}

/** With answers stopped that stream: all of them, or those of a tab. */
export function withoutRunning(conversation: Conversation, tab?: string): Conversation {
  if (!isRunning(conversation)) return conversation;
  const messages = conversation.messages.map((message) =>
    message.role === "assistant" &&
    message.state === "streaming" &&
    message.tab === (tab ?? message.tab)
      ? { ...message, state: "stopped" as const }
      : message,
  );
  return { ...conversation, messages };
}

export function isRunning(conversation: Conversation): boolean {
  return conversation.messages.some(
    (message) => message.role === "assistant" && message.state === "streaming",
  );
}

/** Tokens that the model has read and written on a way through a conversation. */
export function tokensOf(path: readonly Message[]): number {
  const last = path.findLast((message) => message.role === "assistant");
  return last ? last.cost.promptTokens + last.cost.tokens : 0;
}

/** Whether all words of a search occur in its title or messages. */
export function matches({ title, messages }: Conversation, search: string): boolean {
  const text = [title, ...messages.map((message) => message.text)].join("\n").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function titleOf(message: Message): string {
  const named = message.role === "user" ? message.attachments.map(({ name }) => name) : [];
  const text = (message.text || named.join(", ")).replaceAll(/\s+/g, " ").trim();
  return text.length <= longestTitle ? text : `${text.slice(0, longestTitle - 1)}…`;
}

/** An answer of which nothing has come yet. */
export function newAnswer(
  parent: string | null,
  { model, budget, label }: Pick<Answer, "model" | "budget" | "label">,
  tab: string,
): Answer {
  return {
    id: newId(),
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
    tab,
    model,
    ...(label !== undefined && { label }),
  };
}
