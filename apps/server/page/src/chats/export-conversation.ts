import { pathTo, type Conversation, type Message } from "./conversation.ts";

const speakers = { user: "You", assistant: "Model", tool: "Tool" } as const;

/** What is shown of a conversation, as Markdown; thoughts as quotations. */
function toMarkdown(conversation: Conversation): string {
  const parts = pathTo(conversation).map((message) =>
    [`## ${speakers[message.role]}`, ...blocks(message)].join("\n\n"),
  );
  return [`# ${conversation.title}`, ...parts, ""].join("\n\n");
}

function blocks(message: Message): string[] {
  if (message.role === "user") {
    const files = message.attachments.map(({ name, text }) => `${name}:\n\n${fenced(text)}`);
    return [...files, message.text];
  }
  if (message.role === "tool") return [`${message.call.name}:\n\n${fenced(message.text)}`];
  const calls = message.toolCalls.map((call) => fenced(`${call.name}(${call.arguments})`));
  const thought = message.thought.trim();
  return [...(thought === "" ? [] : [thought.replaceAll(/^/gm, "> ")]), message.text, ...calls];
}

/** In a fence longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

/** Lets the browser save a text as a file. */
function saveFile(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

/** The conversation as a file to save, in Markdown or with all its branches in JSON. */
export function exportConversation(conversation: Conversation, form: "md" | "json"): void {
  const name = conversation.title.replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-|-$/g, "");
  const isMarkdown = form === "md";
  const text = isMarkdown ? toMarkdown(conversation) : JSON.stringify(conversation, null, 2);
  const type = isMarkdown ? "text/markdown" : "application/json";
  saveFile(`${name || "conversation"}.${form}`, text, type);
}
