import { byteCharacters, toByteCharacters } from "./byte-alphabet.ts";
import {
  buildTokenizerFile,
  gpt2Pattern,
  singleDigitPattern,
  TokenizerError,
  type TokenizerFile,
} from "./tokenizer-file.ts";

/** Options of {@link trainTokenizer}. */
export interface TrainTokenizerOptions {
  /** Bytes, merges and special tokens together. */
  vocabSize: number;
  specialTokens?: readonly string[];
  /** True: every digit is a token of its own. Default true. */
  splitDigits?: boolean;
}

interface Word {
  symbols: string[];
  count: number;
}

/**
 * Learns byte-level BPE merges from texts: again and again the most frequent pair of neighbouring
 * symbols becomes one (Sennrich et al., arXiv 1508.07909). The same texts give the same tokenizer.
 *
 * @returns a Hugging Face `tokenizer.json`
 * @throws TokenizerError when the vocabulary has no room for bytes and special tokens
 */
export function trainTokenizer(
  texts: Iterable<string>,
  { vocabSize, specialTokens = [], splitDigits = true }: TrainTokenizerOptions,
): TokenizerFile {
  const room = vocabSize - byteCharacters.length - specialTokens.length;
  if (room < 0) {
    throw new TokenizerError(
      `expected a vocabulary of at least ${vocabSize - room}, found ${vocabSize}`,
    );
  }
  const pattern = splitDigits ? singleDigitPattern : gpt2Pattern;
  const words = countWords(texts, pattern);
  return buildTokenizerFile({ merges: learnMerges(words, room), specialTokens, pattern });
}

function countWords(texts: Iterable<string>, pattern: string): Word[] {
  const counts = new Map<string, number>();
  const piece = new RegExp(pattern, "gu");
  for (const text of texts) {
    for (const [word] of text.matchAll(piece)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => ({
    symbols: Array.from(toByteCharacters(word)),
    count,
  }));
}

/** Symbols never hold a space: byte-level BPE writes it as another character. */
const joiner = " ";

function learnMerges(words: Word[], wanted: number): [string, string][] {
  const pairs = new PairCounts(words);
  const merges: [string, string][] = [];
  while (merges.length < wanted) {
    const best = pairs.mostFrequent();
    if (best === undefined) break;
    const pair = best.split(joiner) as [string, string];
    merges.push(pair);
    pairs.merge(pair);
  }
  return merges;
}

/** Frequencies of neighbouring symbols, kept up to date as pairs merge. */
class PairCounts {
  readonly #words: Word[];
  readonly #counts = new Map<string, number>();
  readonly #places = new Map<string, Set<number>>();

  constructor(words: Word[]) {
    this.#words = words;
    words.forEach((_, index) => this.#add(index, 1));
  }

  /** The most frequent pair; of equals the first in code-unit order. */
  mostFrequent(): string | undefined {
    let best: string | undefined;
    let most = 0;
    for (const [pair, count] of this.#counts) {
      if (count > most || (count === most && best !== undefined && count > 0 && pair < best)) {
        best = pair;
        most = count;
      }
    }
    return best;
  }

  merge([left, right]: [string, string]): void {
    for (const index of this.#places.get(left + joiner + right) ?? []) {
      this.#add(index, -1);
      const { symbols } = this.#words[index]!;
      const merged: string[] = [];
      for (const symbol of symbols) {
        if (merged.at(-1) === left && symbol === right) merged[merged.length - 1] = left + right;
        else merged.push(symbol);
      }
      this.#words[index]!.symbols = merged;
      this.#add(index, 1);
    }
    this.#counts.delete(left + joiner + right);
    this.#places.delete(left + joiner + right);
  }

  /** Adds (sign 1) or takes away (sign −1) the pairs of a word. */
  #add(index: number, sign: 1 | -1): void {
    const { symbols, count } = this.#words[index]!;
    for (let i = 1; i < symbols.length; i++) {
      const pair = symbols[i - 1]! + joiner + symbols[i]!;
      this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + sign * count);
      if (sign > 0) {
        const places = this.#places.get(pair);
        if (places) places.add(index);
        else this.#places.set(pair, new Set([index]));
      }
    }
  }
}
