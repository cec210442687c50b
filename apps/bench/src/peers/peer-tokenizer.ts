import { m1SpecialTokens, tokenizerFileFromMerges, type TokenizerFile } from "@levin/tokenizer";

/** Of all models with random weights. */
export const vocabSize = 8192;

const printable = Array.from({ length: 0x7f - 0x21 }, (_, i) => String.fromCharCode(0x21 + i));
const bytes = 256;

/** A tokenizer for them: bytes, pairs of printable characters, and M1's special tokens. */
export function peerTokenizer(): TokenizerFile {
  const pairs = printable.flatMap((left) => printable.map((right) => `${left} ${right}`));
  const merges = pairs.slice(0, vocabSize - bytes - m1SpecialTokens.length);
  return tokenizerFileFromMerges(merges.join("\n"), m1SpecialTokens);
}

/** The id of the special token that ends an answer. */
export const endToken =
  vocabSize - m1SpecialTokens.length + m1SpecialTokens.indexOf("<end_of_sentence>");
