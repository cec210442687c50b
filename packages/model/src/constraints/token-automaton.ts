import type { TextTokenizer } from "../generation/thought.ts";
import type { AutomatonState, ByteAutomaton } from "./byte-automaton.ts";
import { addedTokenBytes, addedTokenSign } from "./added-token-bytes.ts";
import { ConstraintError } from "./constraint.ts";
import { tokenTrie, type TokenTrie } from "./token-trie.ts";

/** Which tokens may come next: bit `id & 31` of word `id >> 5`. */
export type TokenMask = Uint32Array;

/** Memory that the masks of one automaton may take. */
const maximalMaskBytes = 2 ** 25;

/**
 * A byte automaton seen through a vocabulary. A token may span several characters, or be a part of
 * one. Masks are worked out once for each state.
 */
export class TokenAutomaton {
  readonly start: AutomatonState;
  readonly #bytes: ByteAutomaton;
  readonly #vocabulary: Vocabulary;
  #masks = new WeakMap<AutomatonState, TokenMask>();
  #maskBytes = 0;

  constructor(bytes: ByteAutomaton, vocabulary: Vocabulary) {
    this.start = bytes.start;
    this.#bytes = bytes;
    this.#vocabulary = vocabulary;
  }

  /** The state after a token; null when it may not come, or has no bytes. */
  next(state: AutomatonState, id: number): AutomatonState | null {
    const token = this.#vocabulary.tokens[id];
    if (!token || token.length === 0) return null;
    let at: AutomatonState | null = state;
    for (let i = 0; at && i < token.length; i++) at = this.#bytes.next(at, token[i]!);
    return at;
  }

  /** The tokens that may follow a state. */
  mask(state: AutomatonState): TokenMask {
    const known = this.#masks.get(state);
    if (known) return known;
    const mask = this.#walk(state);
    this.#maskBytes += mask.byteLength;
    if (this.#maskBytes > maximalMaskBytes) {
      this.#masks = new WeakMap();
      this.#maskBytes = mask.byteLength;
    }
    this.#masks.set(state, mask);
    return mask;
  }

  /** Goes through the tree of all tokens, leaving out what lies behind an impossible byte. */
  #walk(state: AutomatonState): TokenMask {
    const { trie, tokens: vocabulary } = this.#vocabulary;
    const { bytes, depths, ends, tokenStarts, tokens, deepest } = trie;
    const mask = new Uint32Array(Math.ceil(vocabulary.length / 32));
    /** State in front of each depth. */
    const states: AutomatonState[] = Array<AutomatonState>(deepest + 2).fill(state);
    for (let node = 0; node < bytes.length;) {
      const depth = depths[node]!;
      const next = this.#bytes.next(states[depth]!, bytes[node]!);
      if (next === null) {
        node = ends[node]!;
        continue;
      }
      states[depth + 1] = next;
      for (let i = tokenStarts[node]!; i < tokenStarts[node + 1]!; i++) {
        mask[tokens[i]! >> 5]! |= 1 << (tokens[i]! & 31);
      }
      node += 1;
    }
    return mask;
  }
}

/** The bytes of all tokens that may be part of a constrained answer. */
export interface Vocabulary {
  tokens: readonly (Uint8Array | undefined)[];
  trie: TokenTrie;
}

const vocabularies = new WeakMap<TextTokenizer, Vocabulary>();

/**
 * The vocabulary of a tokenizer. Its added tokens are marks, not text: see `addedTokenBytes`.
 * @throws ConstraintError when the tokenizer does not tell the bytes of its tokens
 */
export function vocabularyOf(tokenizer: TextTokenizer, size: number): Vocabulary {
  if (!tokenizer.tokenBytes) {
    throw new ConstraintError("constraint: expected a tokenizer with tokenBytes");
  }
  const known = vocabularies.get(tokenizer);
  if (known?.tokens.length === size) return known;
  const added = addedTokens(tokenizer);
  const tokens = Array.from({ length: size }, (_, id) => {
    const mark = added.get(id);
    if (mark !== undefined) return addedTokenBytes(mark);
    const bytes = id < (tokenizer.vocabSize ?? size) ? tokenizer.tokenBytes!(id) : undefined;
    // No text has it; with it, a mark could be spelled out.
    return bytes?.includes(addedTokenSign) ? undefined : bytes;
  });
  const vocabulary = { tokens, trie: tokenTrie(tokens) };
  vocabularies.set(tokenizer, vocabulary);
  return vocabulary;
}

/** The texts of a tokenizer's added tokens, by their ids. */
export function addedTokens({ specialTokens }: TextTokenizer): ReadonlyMap<number, string> {
  return new Map(Array.from(specialTokens ?? [], ([text, id]) => [id, text]));
}
