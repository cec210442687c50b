/** A process of a {@link ProcessCrew}: does the pieces that its parent sends, and ends with it. */
import { PiecePerformer, type PieceModel } from "./perform-piece.ts";
import type { Piece } from "./piece.ts";

// Signals of a terminal reach all its processes; the parent says when this one ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
process.on("disconnect", () => process.exit());

const performer = new PiecePerformer(JSON.parse(process.argv[2]!) as PieceModel);

process.on("message", (piece: Piece) => {
  performer.perform(piece).then(
    (result) => process.send!({ result }),
    ({ name, message }: Error) => process.send!({ error: { name, message } }),
  );
});
