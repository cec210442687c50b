import { Template } from "@huggingface/jinja";
import type { Tokenizer } from "./tokenizer.ts";
import { TokenizerError } from "./tokenizer-file.ts";
import { toolCallsText, toolResultName, type MessageToolCall } from "./tool-calls.ts";

/** A function that the model may call, in OpenAI's form. */
export interface ToolDefinition {
  type: "function";
  function: { name: string; description?: string; parameters?: Record<string, unknown> };
}

/** A message in OpenAI's form; content is text or a list of text parts. */
export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string | readonly { type: "text"; text: string }[];
  /** Of an answer: the functions that it calls. */
  tool_calls?: readonly MessageToolCall[] | null | undefined;
  /** For `tool` messages: the name of the function, or else the call that is answered. */
  name?: string | undefined;
  tool_call_id?: string | undefined;
}

/** Options of {@link renderChat}. */
export interface RenderChatOptions {
  /** Jinja source, from `tokenizer_config.json`. */
  template: string;
  tools?: readonly ToolDefinition[];
  /** Ends with the opening of an answer; default true. */
  addGenerationPrompt?: boolean;
}

/**
 * The text of a conversation in a model's own form.
 * @throws TokenizerError when the template fails, or a tool's result belongs to no call
 */
export function renderChat(messages: readonly ChatMessage[], options: RenderChatOptions): string {
  const { template, tools = [], addGenerationPrompt = true } = options;
  const readsLists = listReader.test(template);
  try {
    return parsed(template).render({
      messages: readsLists ? listMessages(messages) : textMessages(messages),
      tools: tools.length === 0 ? null : readsLists ? tools.map(describedTool) : tools,
      add_generation_prompt: addGenerationPrompt,
    });
  } catch (error) {
    throw new TokenizerError(`chat template: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Token ids of a conversation. Special tokens count only where the template wrote them: a message
 * that contains `<end_of_sentence>` is read as these characters.
 *
 * @param options of `renderChat`, and `maxTokens` as `Tokenizer.encode` takes it
 */
export function encodeChat(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  { maxTokens = Infinity, ...options }: RenderChatOptions & { maxTokens?: number },
): number[] {
  const quoted: string[] = [];
  const quote = (text: string): string => {
    let result = text.replaceAll(marker, "");
    for (const token of tokenizer.specialTokens.keys()) {
      result = result.replaceAll(token, () => `${marker}${quoted.push(token) - 1}${marker}`);
    }
    return result;
  };
  const quoteCall = ({ id, function: { name, arguments: json } }: MessageToolCall) => ({
    id,
    function: { name: quote(name), arguments: quote(json) },
  });
  const safe = messages.map((message) => ({
    ...message,
    tool_calls: message.tool_calls?.map(quoteCall),
    content: textParts(message.content).map((text) => ({
      type: "text" as const,
      text: quote(text),
    })),
  }));
  const parts = renderChat(safe, options).split(marker);
  // Between two markers stands the number of a quoted token.
  const ids: number[] = [];
  for (const [i, part] of parts.entries()) {
    const isQuoted = i % 2 === 1;
    const text = isQuoted ? quoted[Number(part)]! : part;
    const left = maxTokens - ids.length;
    const encoded = tokenizer.encode(text, { parseSpecialTokens: !isQuoted, maxTokens: left });
    for (const id of encoded) ids.push(id);
    if (ids.length > maxTokens) break;
  }
  return ids;
}

/**
 * True for templates that read the content of a message as a list of parts, as M1's does: they go through
 * it, or take a part of it. Others read text.
 */
const listReader =
  /for\s+\w+\s+in\s+\w+(\.content\b|\[["']content["']\])|(\.content|\[["']content["']\])\s*\[\s*\d/;

interface ListMessage {
  role: string;
  name: string | undefined;
  content: { type: "text"; text: string; name: string | null }[];
}

/** M1's template reads lists of text parts; results of tools that follow each other share a list. */
function listMessages(messages: readonly ChatMessage[]): ListMessage[] {
  const result: ListMessage[] = [];
  for (const message of messages) {
    const { role, tool_calls: calls } = message;
    const name = nameOf(message, messages);
    const said = textParts(message.content);
    const called = calls && calls.length > 0 ? [toolCallsText(calls)] : [];
    const texts =
      called.length > 0
        ? [[said.join(""), ...called].filter((text) => text !== "").join("\n")]
        : said;
    const content = texts.map((text) => ({ type: "text" as const, text, name: name ?? null }));
    const last = result.at(-1);
    if (role === "tool" && last?.role === "tool") last.content.push(...content);
    else result.push({ role, name, content });
  }
  return result;
}

interface TextMessage {
  role: string;
  name?: string;
  content: string;
  tool_calls?: readonly MessageToolCall[];
}

/** Messages in OpenAI's form; the template writes calls in the model's own. */
function textMessages(messages: readonly ChatMessage[]): TextMessage[] {
  return messages.map((message) => {
    const name = nameOf(message, messages);
    const { role, tool_calls: calls } = message;
    return {
      role,
      ...(name !== undefined && { name }),
      content: textParts(message.content).join(""),
      ...(calls && calls.length > 0 && { tool_calls: calls }),
    };
  });
}

/** Of a tool's result the name of the function. */
function nameOf(message: ChatMessage, messages: readonly ChatMessage[]): string | undefined {
  return message.role === "tool" ? toolResultName(message, messages) : message.name;
}

/** What M1 is told of a function: no flags of the API. */
function describedTool({ function: { name, description, parameters } }: ToolDefinition): object {
  return {
    name,
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
  };
}

/** A private-use character; taken out of messages before it serves as a mark. */
const marker = "\uE0F5";

function textParts(content: ChatMessage["content"]): string[] {
  return typeof content === "string" ? [content] : content.map((part) => part.text);
}

const templates = new Map<string, Template>();

/** Parsing costs far more than rendering, and a process uses few templates. */
function parsed(source: string): Template {
  const known = templates.get(source) ?? new Template(source);
  templates.set(source, known);
  return known;
}
