import {
  checkTokenizerFile,
  gpt2Pattern,
  singleDigitPattern,
  TokenizerError,
} from "./tokenizer-file.ts";

/** llama.cpp's names for patterns; the second cuts a run of spaces before a digit in another way. */
const patterns: Record<string, string> = {
  [gpt2Pattern]: "gpt-2",
  [singleDigitPattern]: "smollm",
};

/** llama.cpp's numbers for kinds of tokens. */
const kinds = { normal: 1, control: 3, shown: 4, unused: 5 } as const;

/** Marks that stand in an answer; llama.cpp does not show control tokens. */
const thoughtMarks = ["<think>", "</think>"];

/**
 * A tokenizer as metadata of a GGUF file, for llama.cpp.
 *
 * @param json a Hugging Face `tokenizer.json`
 * @param options `vocabSize` of the model (what the tokenizer has no token for is unused) and
 *   `chatTemplate` in Jinja
 * @throws TokenizerError for a broken file, or a pattern that llama.cpp is not known to have
 */
export function ggufVocabulary(
  json: unknown,
  { vocabSize, chatTemplate }: { vocabSize: number; chatTemplate?: string },
): Record<string, string | boolean | string[] | Int32Array> {
  const file = checkTokenizerFile(json);
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[UNUSED_${id}]`);
  const types = new Int32Array(vocabSize).fill(kinds.unused);
  const place = (id: number, token: string, kind: number): void => {
    if (id >= vocabSize) {
      throw new TokenizerError(`expected ids below ${vocabSize}, found ${id} of "${token}"`);
    }
    tokens[id] = token;
    types[id] = kind;
  };
  for (const [token, id] of Object.entries(file.model.vocab)) place(id, token, kinds.normal);
  for (const { id, content, special } of file.added_tokens) {
    place(id, content, special && !thoughtMarks.includes(content) ? kinds.control : kinds.shown);
  }
  return {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": patternName(file["pre_tokenizer"]),
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": types,
    "tokenizer.ggml.merges": file.model.merges.map((pair) => pair.join(" ")),
    // Templates write all that begins and ends a text.
    "tokenizer.ggml.add_bos_token": false,
    ...(chatTemplate !== undefined && { "tokenizer.chat_template": chatTemplate }),
  };
}

interface PreTokenizer {
  type?: string;
  use_regex?: boolean;
  pattern?: { Regex?: string };
  pretokenizers?: PreTokenizer[];
}

function patternName(json: unknown): string {
  const preTokenizer = (json ?? {}) as PreTokenizer;
  const steps = preTokenizer.pretokenizers ?? [preTokenizer];
  const found = steps.flatMap(({ type, use_regex: isGpt2 = true, pattern }) => {
    if (type === "ByteLevel") return isGpt2 ? [gpt2Pattern] : [];
    return [pattern?.Regex ?? type];
  });
  const name = found.length === 1 ? patterns[found[0]!] : undefined;
  if (name !== undefined) return name;
  throw new TokenizerError(
    `expected a pre_tokenizer with one of the patterns ${Object.keys(patterns).join(" and ")}, ` +
      `found ${JSON.stringify(json)}`,
  );
}
