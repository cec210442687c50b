import { encodeChat, type ChatMessage, type ToolDefinition } from "@levin/tokenizer";
import type { ServedModel } from "../served-model.ts";
import type { ChatRequest } from "./completion-requests.ts";
import { checkEncoded, checkPromptTokens, checkTextLength } from "./prompt-length.ts";

/** Messages of a checked chat request, as chat templates take them. */
export function chatMessages(messages: ChatRequest["messages"]): ChatMessage[] {
  return messages.map(({ role, ...message }) => ({
    ...message,
    role: role === "developer" ? "system" : role,
  }));
}

/** @throws ApiError (400) for messages and tools that can't fit the context, whatever their tokens */
export function checkChatLength(
  messages: readonly ChatMessage[],
  tools: readonly ToolDefinition[],
  served: ServedModel,
  param = "messages",
): void {
  const texts = messages.flatMap(({ content, tool_calls: calls }) => [
    content as string,
    ...(calls ?? []).map((call) => call.function.arguments),
  ]);
  checkTextLength([...texts, ...tools.map((tool) => JSON.stringify(tool))], param, served);
}

/**
 * Token ids of a conversation.
 * @throws ApiError (400) when it is too long; TokenizerError when the template can't render it
 */
export function chatPromptIds(
  messages: readonly ChatMessage[],
  tools: readonly ToolDefinition[],
  served: ServedModel,
  {
    addGenerationPrompt = true,
    param = "messages",
    maxTokens = served.model.config.maxPositionEmbeddings,
  } = {},
): number[] {
  checkChatLength(messages, tools, served, param);
  const { tokenizer, chatTemplate: template } = served;
  const ids = encodeChat(tokenizer, messages, { template, tools, addGenerationPrompt, maxTokens });
  checkEncoded(ids, maxTokens, param, served);
  checkPromptTokens(ids, param, served);
  return ids;
}
