import { byteCharacters } from "./byte-alphabet.ts";

/** Raised for a broken tokenizer file, unknown ids and templates that do not render. */
export class TokenizerError extends Error {
  override readonly name = "TokenizerError";
}

/** A token outside the merges, such as `<think>`. */
export interface AddedToken {
  id: number;
  content: string;
  /** Special tokens are control marks; others are text that is kept whole. */
  special: boolean;
}

/** The parts of a Hugging Face `tokenizer.json` that byte-level BPE has. */
export interface TokenizerFile {
  added_tokens: AddedToken[];
  model: { type: "BPE"; vocab: Record<string, number>; merges: [string, string][] };
  [other: string]: unknown;
}

/**
 * Words, numbers and punctuation of GPT-2, with single digits: the pieces that merges stay within.
 */
export const singleDigitPattern =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** The pattern of GPT-2. */
export const gpt2Pattern =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Puts a `tokenizer.json` of byte-level BPE together: bytes first, then merges, then special tokens. */
export function buildTokenizerFile(options: {
  merges: readonly (readonly [string, string])[];
  specialTokens: readonly string[];
  pattern: string;
}): TokenizerFile {
  const { merges, specialTokens, pattern } = options;
  const tokens = [...byteCharacters, ...merges.map(([left, right]) => left + right)];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const added = specialTokens.map((content, index) => ({
    id: tokens.length + index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: merges.map(([left, right]): [string, string] => [left, right]),
    } as TokenizerFile["model"],
  };
}

/**
 * A tokenizer file from the `merges.txt` of a GPT-2 style vocabulary, as M1 publishes it. Assumes
 * that ids are the 256 bytes in GPT-2 order, then one per merge, then the special tokens.
 */
export function tokenizerFileFromMerges(
  mergesText: string,
  specialTokens: readonly string[],
): TokenizerFile {
  const merges = mergesText
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#version"))
    .map((line, index): [string, string] => {
      const [left, right, ...rest] = line.split(" ");
      if (!left || !right || rest.length > 0) {
        throw new TokenizerError(
          `merges: expected two tokens on line ${index + 1}, found "${line}"`,
        );
      }
      return [left, right];
    });
  return buildTokenizerFile({ merges, specialTokens, pattern: gpt2Pattern });
}

/**
 * Checks the parts of a tokenizer file that loading depends on.
 * @throws TokenizerError naming the first part that is wrong
 */
export function checkTokenizerFile(json: unknown): TokenizerFile {
  const { added_tokens: added, model } = (json ?? {}) as Record<string, unknown>;
  const { type, vocab, merges } = (model ?? {}) as Record<string, unknown>;
  if (type !== "BPE") {
    throw new TokenizerError(
      `tokenizer.json: expected model.type "BPE", found ${JSON.stringify(type)}`,
    );
  }
  if (typeof vocab !== "object" || vocab === null || !Array.isArray(merges)) {
    throw new TokenizerError("tokenizer.json: expected model.vocab and model.merges");
  }
  const ids = vocab as Record<string, unknown>;
  for (const [token, id] of Object.entries(ids)) {
    if (!Number.isSafeInteger(id) || (id as number) < 0) {
      throw new TokenizerError(
        `tokenizer.json: expected a whole-number id for ${JSON.stringify(token)}, found ${JSON.stringify(id)}`,
      );
    }
  }
  const pairs = merges.map((merge: unknown, index): [string, string] => {
    const pair = typeof merge === "string" ? merge.split(" ") : merge;
    const known = (token: unknown): boolean =>
      typeof token === "string" && Object.hasOwn(ids, token);
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(known) || !known(pair.join(""))) {
      throw new TokenizerError(
        `tokenizer.json: expected merge ${index} of two known tokens to a known one, found ${JSON.stringify(merge)}`,
      );
    }
    return pair as [string, string];
  });
  const isAdded = (token: unknown): boolean => {
    const { id, content } = (token ?? {}) as Record<string, unknown>;
    return Number.isSafeInteger(id) && typeof content === "string" && content !== "";
  };
  if (!Array.isArray(added) || !added.every(isAdded)) {
    throw new TokenizerError("tokenizer.json: expected added_tokens with id and content");
  }
  const file = json as TokenizerFile;
  return { ...file, model: { ...file.model, merges: pairs } };
}
