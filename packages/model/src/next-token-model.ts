import type * as tf from "@tensorflow/tfjs-core";
import type { TokenBatch } from "./token-batch.ts";

/** What a model remembers of a batch of sequences. */
export interface ModelState {
  readonly batch: number;
  /** Tokens fed so far, padding included. */
  readonly length: number;
  readonly byteLength: number;
  clone(): ModelState;
  /** A state of `rows` of this one, then of all rows of `others`; all of them stay as they are. */
  regroup(rows: readonly number[], others?: readonly ModelState[]): ModelState;
  serialize(): Uint8Array;
  dispose(): void;
}

/**
 * All that generation needs of a model. `CausalLanguageModel` is one; anything that maps tokens to
 * logits can be another:
 *
 *     const state = model.createState(1);
 *     const logits = model.advance(state, { ids: [[7, 8, 9]] }); // [1, vocab]
 */
export interface NextTokenModel<State extends ModelState = ModelState> {
  readonly config: {
    vocabSize: number;
    maxPositionEmbeddings: number;
    eosTokenId: readonly number[];
  };
  createState(batch: number): State;
  deserializeState(bytes: Uint8Array): State;
  /** Feeds tokens; `[batch, vocab]` logits of the last position. */
  advance(state: State, tokens: TokenBatch): tf.Tensor2D;
}
