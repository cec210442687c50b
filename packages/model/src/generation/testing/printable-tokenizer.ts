import type { TextTokenizer } from "../thought.ts";

/** The fixtures have a vocabulary of 96: printable characters, and two marks of thought. */
export const marks: Record<string, number> = { "<think>": 94, "</think>": 95 };

export const printableTokenizer: TextTokenizer = {
  encode: (text) =>
    text
      .split(/(<\/?think>)/)
      .filter((part) => part !== "")
      .flatMap((part) => marks[part] ?? Array.from(part, (c) => (c.charCodeAt(0) - 32 + 94) % 94)),
  tokenToId: (token) => marks[token],
  createDecodeStream: () => ({
    push: (id) => (id >= 94 ? "" : String.fromCharCode(32 + id)),
    flush: () => "",
  }),
};
