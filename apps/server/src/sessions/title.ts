import type { ConversationMessage } from "@levin/tokenizer";

/** Characters of a title that a session gets by itself. */
const length = 80;

const characters = new Intl.Segmenter();

/** The beginning of a conversation's first question: what it is called until someone names it. */
export function titleOf(messages: readonly ConversationMessage[]): string {
  const question = messages.find(({ role }) => role === "user")?.content ?? "";
  const text = typeof question === "string" ? question : question.map((part) => part.text).join("");
  const line = text.trim().split("\n", 1)[0]!.trim();
  const shown = Array.from(characters.segment(line.slice(0, 8 * length)), ({ segment }) => segment);
  return shown.length <= length ? line : `${shown.slice(0, length - 1).join("")}…`;
}
