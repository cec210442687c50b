import type { ModelState } from "../next-token-model.ts";

interface Entry {
  ids: readonly number[];
  state: ModelState;
  /** After the last token, `[vocab]`: the same prompt needs no token to be fed again. */
  logits: Float32Array;
}

/**
 * States of prompts that were read before, so that a prompt that begins like one of them costs only
 * its new tokens: the next turn of a conversation, another answer to the same question. The least
 * recently used go when memory is used up; a lightning layer's part of a state has a fixed size.
 */
export class PrefixCache {
  readonly #maxBytes: number;
  /** Least recently used first. */
  #entries: Entry[] = [];

  /** @param options.maxBytes default: 64 MiB */
  constructor({ maxBytes = 2 ** 26 }: { maxBytes?: number } = {}) {
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
  ): { length: number; state: ModelState; logits: Float32Array } | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.ids.length > (best?.ids.length ?? 0) && isBeginning(entry.ids, ids)) best = entry;
    }
    if (!best) return undefined;
    this.#touch(best);
    return { length: best.ids.length, state: best.state.clone(), logits: best.logits };
  }

  /** Keeps a copy of the state after `ids`, unless it alone is too large or all of them are known. */
  keep(ids: readonly number[], state: ModelState, logits: Float32Array): void {
    const isKnown = this.#entries.some(
      (entry) => entry.ids.length === ids.length && isBeginning(entry.ids, ids),
    );
    if (isKnown || bytesOf({ state, logits }) > this.#maxBytes) return;
    this.#entries.push({ ids: [...ids], state: state.clone(), logits });
    while (this.byteLength > this.#maxBytes) this.#entries.shift()!.state.dispose();
  }

  dispose(): void {
    for (const { state } of this.#entries) state.dispose();
    this.#entries = [];
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
