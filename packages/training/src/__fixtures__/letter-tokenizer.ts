import type { TextTokenizer } from "@levin/model";

const firstLetter = "a".charCodeAt(0);

/** The vocabulary of 24 of the tiny model as letters "a" to "x"; it knows no thought. */
export const letterTokenizer: TextTokenizer = {
  encode: (text) => Array.from(text, (letter) => letter.charCodeAt(0) - firstLetter),
  tokenToId: () => undefined,
  createDecodeStream: () => ({
    push: (id) => String.fromCharCode(firstLetter + id),
    flush: () => "",
  }),
};
