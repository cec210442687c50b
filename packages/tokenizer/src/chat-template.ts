import { Template } from "@huggingface/jinja";
import type { Tokenizer } from "./tokenizer.ts";
import { TokenizerError } from "./tokenizer-file.ts";

/** A function that the model may call, in OpenAI's form. */
export interface ToolDefinition {
  type: "function";
  function: { name: string; description?: string; parameters?: Record<string, unknown> };
}

/** A message in OpenAI's form; content is text or a list of text parts. */
export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string | readonly { type: "text"; text: string }[];
  /** For `tool` messages: the name of the function. */
  name?: string;
}

export interface RenderChatOptions {
  /** Jinja source, from `tokenizer_config.json`. */
  template: string;
  tools?: readonly ToolDefinition[];
  /** Ends with the opening of an answer; default true. */
  addGenerationPrompt?: boolean;
}

/**
 * The text of a conversation in a model's own form.
 * @throws TokenizerError when the template fails
 */
export function renderChat(messages: readonly ChatMessage[], options: RenderChatOptions): string {
  const { template, tools, addGenerationPrompt = true } = options;
  try {
    return parsed(template).render({
      // M1's template reads lists of text parts; each part carries the tool's name.
      messages: messages.map(({ role, content, name }) => ({
        role,
        name,
        content: textParts(content).map((text) => ({ type: "text", text, name: name ?? null })),
      })),
      tools: tools && tools.length > 0 ? tools.map((tool) => tool.function) : null,
      add_generation_prompt: addGenerationPrompt,
    });
  } catch (error) {
    throw new TokenizerError(`chat template: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Token ids of a conversation. Special tokens count only where the template wrote them: a message
 * that contains `<end_of_sentence>` is read as these characters.
 */
export function encodeChat(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: RenderChatOptions,
): number[] {
  const quoted: string[] = [];
  const quote = (text: string): string => {
    let result = text.replaceAll(marker, "");
    for (const token of tokenizer.specialTokens.keys()) {
      result = result.replaceAll(token, () => `${marker}${quoted.push(token) - 1}${marker}`);
    }
    return result;
  };
  const safe = messages.map((message) => ({
    ...message,
    content: textParts(message.content).map((text) => ({
      type: "text" as const,
      text: quote(text),
    })),
  }));
  const parts = renderChat(safe, options).split(marker);
  // Between two markers stands the number of a quoted token.
  return parts.flatMap((part, index) =>
    index % 2 === 0
      ? tokenizer.encode(part)
      : tokenizer.encode(quoted[Number(part)]!, { parseSpecialTokens: false }),
  );
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
