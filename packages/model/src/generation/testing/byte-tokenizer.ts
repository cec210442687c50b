import type { TextTokenizer } from "../thought.ts";

/** Tokens of several characters, and of parts of one. */
const longTokens = [
  '{"',
  '": "',
  '", "',
  '"}',
  '":',
  "[[",
  "]}",
  "true",
  "12",
  "-3",
  "ab",
  "é",
  "éa\u{1F642}",
  "\\u00",
  "\n\n",
].map((text) => new TextEncoder().encode(text));
/** The halves of an emoji, the second with the end of a string. */
const halves = [
  [0xf0, 0x9f],
  [0x99, 0x82, 0x22],
].map((bytes) => Uint8Array.from(bytes));

const tokens = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...longTokens,
  ...halves,
];
const marks = ["<think>", "</think>", "<end>"];

const specialTokens = new Map(marks.map((mark, i) => [mark, tokens.length + i]));

/** A vocabulary of all bytes, some longer tokens, and marks. */
export const byteTokenizer = {
  vocabSize: tokens.length + marks.length,
  specialTokens,
  endToken: tokens.length + 2,
  tokenBytes: (id: number) => tokens[id] ?? new TextEncoder().encode(marks[id - tokens.length]),
  tokenToId: (token: string) => specialTokens.get(token),
  encode: (text: string): number[] =>
    text
      .split(/(<think>|<\/think>|<end>)/)
      .flatMap((part) => specialTokens.get(part) ?? [...new TextEncoder().encode(part)]),
  createDecodeStream() {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (id: number) =>
        id < tokens.length ? decoder.decode(tokens[id], { stream: true }) : decoder.decode(),
      flush: () => decoder.decode(),
    };
  },
} satisfies TextTokenizer & Record<string, unknown>;
