import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { fromByteCharacters } from "./byte-alphabet.ts";
import { DecodeStream } from "./decode-stream.ts";
import { checkTokenizerFile, TokenizerError, type AddedToken } from "./tokenizer-file.ts";

/** Longest piece handed to the merge loop at once; longer runs of text are cut here. */
const maxPiece = 4096;

/** Text ↔ token ids by byte-level BPE, from a Hugging Face `tokenizer.json`. */
export class Tokenizer {
  readonly vocabSize: number;
  /** Added tokens by text, such as `<think>`. */
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly #encoder: HuggingFaceTokenizer;
  readonly #bytes: ReadonlyMap<number, Uint8Array>;
  readonly #added: ReadonlyMap<number, AddedToken>;
  readonly #addedPattern: RegExp | undefined;

  private constructor(json: unknown) {
    const file = checkTokenizerFile(json);
    // Added tokens are split off here, so the library need not look for them again.
    this.#encoder = new HuggingFaceTokenizer({ ...file, added_tokens: [] }, {});
    this.#added = new Map(file.added_tokens.map((token) => [token.id, token]));
    this.specialTokens = new Map(file.added_tokens.map(({ content, id }) => [content, id]));
    this.#bytes = new Map(
      Object.entries(file.model.vocab).map(([token, id]) => [
        id,
        fromByteCharacters(token) ?? new TextEncoder().encode(token),
      ]),
    );
    let last = -1;
    for (const id of [...this.#bytes.keys(), ...this.#added.keys()]) last = Math.max(last, id);
    this.vocabSize = last + 1;
    this.#addedPattern = addedPattern([...this.specialTokens.keys()]);
  }

  /** @throws TokenizerError when the file is not byte-level BPE or is broken */
  static fromJson(json: unknown): Tokenizer {
    return new Tokenizer(json);
  }

  /** Token ids of a text. */
  encode(
    text: string,
    {
      parseSpecialTokens = true,
      maxTokens = Infinity,
    }: {
      /** False reads `<think>` and the like as plain characters, as text from outside should be; default true. */
      parseSpecialTokens?: boolean;
      /** Encoding ends when there are more than so many, for whoever refuses longer texts: it takes time. */
      maxTokens?: number;
    } = {},
  ): number[] {
    const isSplit = parseSpecialTokens && this.#addedPattern !== undefined;
    const ids: number[] = [];
    for (const part of isSplit ? text.split(this.#addedPattern!) : [text]) {
      const special = isSplit ? this.specialTokens.get(part) : undefined;
      if (special === undefined) this.#encodePlain(part, ids, maxTokens);
      else ids.push(special);
      if (ids.length > maxTokens) break;
    }
    return ids;
  }

  /**
   * The text of token ids; bytes that are no UTF-8 become U+FFFD.
   * @throws TokenizerError for an unknown id
   */
  decode(ids: Iterable<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    const stream = this.createDecodeStream(options);
    let text = "";
    for (const id of ids) text += stream.push(id);
    return text + stream.flush();
  }

  /** Decodes one token after another; see {@link DecodeStream}. */
  createDecodeStream({ skipSpecialTokens = false } = {}): DecodeStream {
    return new DecodeStream((id) => {
      const added = this.#added.get(id);
      if (added) return skipSpecialTokens && added.special ? "" : added.content;
      return this.tokenBytes(id);
    });
  }

  /** UTF-8 bytes of a token; a character may be spread over several tokens. */
  tokenBytes(id: number): Uint8Array {
    const added = this.#added.get(id);
    if (added) return new TextEncoder().encode(added.content);
    const bytes = this.#bytes.get(id);
    if (!bytes) {
      throw new TokenizerError(`expected a token id in 0..${this.vocabSize - 1}, found ${id}`);
    }
    return bytes;
  }

  /** Id of an added token or of a vocabulary entry in its byte-level spelling. */
  tokenToId(token: string): number | undefined {
    return this.specialTokens.get(token) ?? this.#encoder.token_to_id(token);
  }

  /** Text of an added token, or a vocabulary entry in its byte-level spelling. */
  idToToken(id: number): string | undefined {
    return this.#added.get(id)?.content ?? this.#encoder.id_to_token(id);
  }

  #encodePlain(text: string, ids: number[], maxTokens: number): void {
    for (const piece of boundedPieces(text)) {
      for (const id of this.#encoder.encode(piece, { add_special_tokens: false }).ids) ids.push(id);
      if (ids.length > maxTokens) return;
    }
  }
}

function addedPattern(tokens: string[]): RegExp | undefined {
  if (tokens.length === 0) return undefined;
  const longestFirst = tokens.toSorted((a, b) => b.length - a.length);
  const escaped = longestFirst.map((token) => token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`(${escaped.join("|")})`);
}

/**
 * Cuts long text, because merging takes quadratic time in the length of one word. Cuts fall between
 * a letter and a space or line break, where no token crosses; only a longer word is cut within.
 */
function* boundedPieces(text: string): Generator<string> {
  let start = 0;
  while (text.length - start > maxPiece) {
    const window = text.slice(start, start + maxPiece);
    const boundary = window.search(/\S\s\S*\s*$/u);
    let end = boundary > 0 ? boundary + 1 : maxPiece;
    const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00;
    if (isHighSurrogate(window.charCodeAt(end - 1))) end -= 1;
    yield text.slice(start, start + end);
    start += end;
  }
  if (start < text.length) yield text.slice(start);
}
