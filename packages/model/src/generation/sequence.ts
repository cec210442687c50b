import type * as tf from "@tensorflow/tfjs-core";
import type { ModelState, NextTokenModel } from "../next-token-model.ts";
import { nextTask } from "./next-task.ts";

/** A sequence inside a model and the way it moves on: alone, or as a row of a batch. */
export interface Sequence {
  /** Tokens fed so far. */
  readonly length: number;
  /** Feeds tokens of a prompt; logits `[vocab]` after them; undefined, and nothing fed, when aborted. */
  prefill(
    ids: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array | undefined>;
  /** The same for one new token. */
  step(id: number, signal: AbortSignal | undefined): Promise<Float32Array | undefined>;
}

/** A sequence with a state of its own, which stays the caller's. */
export class SingleSequence implements Sequence {
  readonly #model: NextTokenModel;
  readonly #state: ModelState;
  readonly #onFed: ((ids: readonly number[]) => void) | undefined;

  constructor(model: NextTokenModel, state: ModelState, onFed?: (ids: readonly number[]) => void) {
    this.#model = model;
    this.#state = state;
    this.#onFed = onFed;
  }

  get length(): number {
    return this.#state.length;
  }

  async prefill(
    ids: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array | undefined> {
    await nextTask();
    if (signal?.aborted) return undefined;
    const logits = this.#model.advance(this.#state, { ids: [ids] });
    this.#onFed?.(ids);
    return readLogits(logits);
  }

  step(id: number, signal: AbortSignal | undefined): Promise<Float32Array | undefined> {
    return this.prefill([id], signal);
  }
}

/** The numbers of `logits`, which it uses up. */
export async function readLogits(logits: tf.Tensor): Promise<Float32Array> {
  try {
    return (await logits.data()) as Float32Array;
  } finally {
    logits.dispose();
  }
}
