import type { Outcome, OtherWork } from "@levin/server";
import type { PieceModel } from "./perform-piece.ts";
import { pieceKind } from "./piece-kind.ts";
import type { Piece } from "./piece.ts";
import { ProcessCrew } from "./process-crew.ts";

/**
 * Pieces as work of a worker. They are done in a process of their own: a worker that is deep in its
 * model would seem to have fallen silent.
 */
export async function pieceWork(model: PieceModel): Promise<OtherWork> {
  const crew = new ProcessCrew(model, 1);
  return {
    kind: await pieceKind(model),
    handler: {
      perform: (item) => perform(crew, JSON.parse(item) as Piece),
      abandoned: (_item, _job, message) => ({ name: "PieceError", message }),
    },
    close: () => crew.close(),
  };
}

/** What fails once fails always: nothing is tried again. */
async function perform(crew: ProcessCrew, piece: Piece): Promise<Outcome> {
  try {
    const results: unknown[] = [];
    for await (const { result } of crew.perform([piece])) results.push(result);
    return { status: "completed", value: results[0] };
  } catch (error) {
    const { name, message } = error as Error;
    return { status: "failed", value: { name, message } };
  }
}
