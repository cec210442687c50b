import type { Piece, ResultOf } from "./piece.ts";

/** Whoever does the pieces of long work: this process, others of this machine, or other machines. */
export interface Crew {
  /** Batches of items that are worth being handed over at once. */
  readonly batchesAtOnce: number;
  /**
   * Does pieces, in whatever order; each result comes once, with the place of its piece. Ends early
   * after an abort.
   *
   * @throws what a piece threw
   */
  perform<Work extends Piece>(
    pieces: readonly Work[],
    signal?: AbortSignal,
  ): AsyncIterable<{ index: number; result: ResultOf<Work> }>;
  close(): Promise<void>;
}
