import type { Crew } from "./crew.ts";
import { PiecePerformer, type PieceModel } from "./perform-piece.ts";
import type { Piece, ResultOf } from "./piece.ts";

/** This process: pieces one after the other. */
export class OwnProcess implements Crew {
  readonly batchesAtOnce = 1;
  readonly #performer: PiecePerformer;

  constructor(model: PieceModel) {
    this.#performer = new PiecePerformer(model);
  }

  async *perform<Work extends Piece>(
    pieces: readonly Work[],
    signal?: AbortSignal,
  ): AsyncGenerator<{ index: number; result: ResultOf<Work> }, void> {
    for (const [index, piece] of pieces.entries()) {
      if (signal?.aborted) return;
      yield { index, result: (await this.#performer.perform(piece)) as ResultOf<Work> };
      // Lets signals run between pieces.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async close(): Promise<void> {
    await this.#performer.dispose();
  }
}
