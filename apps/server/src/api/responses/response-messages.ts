import type { ChatMessage, MessageToolCall } from "@levin/tokenizer";
import type { InputItem } from "./response-request.ts";

/** Items of a conversation as its messages. */
export function itemMessages(items: readonly InputItem[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  for (const item of items) addItem(messages, item);
  return messages;
}

function addItem(messages: ChatMessage[], item: InputItem): void {
  if (item.type === "reasoning") return;
  if (item.type === "function_call_output") {
    messages.push({ role: "tool", content: item.output, tool_call_id: item.call_id });
    return;
  }
  if (item.type !== "function_call") {
    const { role, content } = item;
    messages.push({ role: role === "developer" ? "system" : role, content });
    return;
  }
  const call: MessageToolCall = {
    id: item.call_id,
    function: { name: item.name, arguments: item.arguments },
  };
  // The calls of one answer, and the text before them, are one message.
  const last = messages.at(-1);
  if (last?.role !== "assistant") {
    messages.push({ role: "assistant", content: "", tool_calls: [call] });
    return;
  }
  messages[messages.length - 1] = { ...last, tool_calls: [...(last.tool_calls ?? []), call] };
}
