import { ModelStateError } from "../model-state-bytes.ts";
import type { ModelState, NextTokenModel } from "../next-token-model.ts";

interface Entry {
  ids: readonly number[];
  salt: string | undefined;
  state: ModelState;
  /** After the last token, `[vocab]`: the same prompt needs no token to be fed again. */
  logits: Float32Array;
}

/**
 * States of prompts that were read before, so that a prompt that begins like one of them costs only
 * its new tokens: the next turn of a conversation, another answer to the same question. The least
 * recently used go when memory is used up; a lightning layer's part of a state has a fixed size.
 *
 * What is kept under a salt is found under it alone: a state from elsewhere need not be the one that
 * its tokens give.
 */
export class PrefixCache {
  readonly #maxBytes: number;
  /** Least recently used first. */
  #entries: Entry[] = [];

  constructor({
    maxBytes = 2 ** 26,
  }: {
    /** Default: 64 MiB. */
    maxBytes?: number;
  } = {}) {
    this.#maxBytes = maxBytes;
  }

  /** Memory of all that is kept. */
  get byteLength(): number {
    return this.#entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
  }

  /**
   * The longest kept beginning of a prompt, perhaps all of it.
   *
   * @returns its number of tokens, a copy of its state, which is the caller's, and its logits
   */
  find(
    ids: readonly number[],
    salt?: string,
  ): { length: number; state: ModelState; logits: Float32Array } | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries) {
      const isOpen = entry.salt === undefined || entry.salt === salt;
      const isLonger = entry.ids.length > (best?.ids.length ?? 0);
      if (isOpen && isLonger && isBeginning(entry.ids, ids)) best = entry;
    }
    if (!best) return undefined;
    this.#touch(best);
    return { length: best.ids.length, state: best.state.clone(), logits: best.logits };
  }

  /** Whether {@link find} has the state after exactly these tokens. */
  has(ids: readonly number[], salt?: string): boolean {
    return (this.#entryOf(ids, salt) ?? this.#entryOf(ids, undefined)) !== undefined;
  }

  /** Keeps a copy of the state after `ids`, unless it alone is too large or all of them are known. */
  keep(ids: readonly number[], state: ModelState, logits: Float32Array, salt?: string): void {
    if (this.#entryOf(ids, salt) || bytesOf({ state, logits }) > this.#maxBytes) return;
    this.#add({ ids: [...ids], salt, state: state.clone(), logits });
  }

  /** The state after exactly these tokens, as bytes for {@link restore}; undefined when it is not kept. */
  save(ids: readonly number[], salt?: string): Uint8Array | undefined {
    const entry = this.#entryOf(ids, salt);
    if (!entry) return undefined;
    this.#touch(entry);
    return packPrefix(entry);
  }

  /**
   * Keeps what {@link save} wrote for these tokens, here or elsewhere, unless it is too large.
   * @throws ModelStateError when the bytes are broken, or of other tokens or another model
   */
  restore(ids: readonly number[], bytes: Uint8Array, model: NextTokenModel, salt?: string): void {
    const { logits, stateBytes } = unpackPrefix(bytes, model.config.vocabSize);
    const state = model.deserializeState(stateBytes);
    const isFitting = state.batch === 1 && state.length === ids.length;
    if (isFitting && !this.#entryOf(ids, salt) && bytesOf({ state, logits }) <= this.#maxBytes) {
      this.#add({ ids: [...ids], salt, state, logits });
      return;
    }
    const { batch, length } = state;
    state.dispose();
    if (isFitting) return;
    throw new ModelStateError(
      `prefix: expected a state of 1 x ${ids.length} tokens, found one of ${batch} x ${length}`,
    );
  }

  dispose(): void {
    for (const { state } of this.#entries) state.dispose();
    this.#entries = [];
  }

  #entryOf(ids: readonly number[], salt: string | undefined): Entry | undefined {
    return this.#entries.find(
      (entry) =>
        entry.salt === salt && entry.ids.length === ids.length && isBeginning(entry.ids, ids),
    );
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    while (this.byteLength > this.#maxBytes) this.#entries.shift()!.state.dispose();
  }

  #touch(entry: Entry): void {
    this.#entries = [...this.#entries.filter((other) => other !== entry), entry];
  }
}

function isBeginning(beginning: readonly number[], ids: readonly number[]): boolean {
  return beginning.length <= ids.length && beginning.every((id, i) => id === ids[i]);
}

function bytesOf({ state, logits }: Pick<Entry, "state" | "logits">): number {
  return state.byteLength + logits.byteLength;
}

/** Number of logits (uint32), logits (float32), state. */
function packPrefix({ state, logits }: Entry): Uint8Array {
  const stateBytes = state.serialize();
  const bytes = new Uint8Array(4 + logits.byteLength + stateBytes.byteLength);
  new DataView(bytes.buffer).setUint32(0, logits.length, true);
  bytes.set(new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength), 4);
  bytes.set(stateBytes, 4 + logits.byteLength);
  return bytes;
}

function unpackPrefix(
  bytes: Uint8Array,
  vocabSize: number,
): { logits: Float32Array; stateBytes: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = bytes.byteLength >= 4 ? view.getUint32(0, true) : 0;
  const end = 4 + 4 * vocabSize;
  if (found !== vocabSize || bytes.byteLength < end) {
    throw new ModelStateError(
      `prefix: expected ${vocabSize} logits and a state, found ${found} logits in ${bytes.byteLength} bytes`,
    );
  }
  // A copy, because its place may not be aligned for numbers.
  return { logits: new Float32Array(bytes.slice(4, end).buffer), stateBytes: bytes.subarray(end) };
}
