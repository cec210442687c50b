import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobFiles, Outcome, OtherWork } from "@levin/server";
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
  const folder = await mkdtemp(join(tmpdir(), "levin-policy-"));
  return {
    kind: await pieceKind(model),
    handler: {
      perform: (item, _job, _run, files) =>
        perform(crew, () => withFile(JSON.parse(item) as Piece, files, folder)),
      abandoned: (_item, _job, message) => ({ name: "PieceError", message }),
    },
    close: async () => {
      await crew.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A piece whose file is in `folder`, which keeps the latest alone. */
async function withFile(piece: Piece, files: JobFiles, folder: string): Promise<Piece> {
  if (piece.work !== "draw") return piece;
  const policy = join(folder, piece.policy);
  if (!existsSync(policy)) {
    const bytes = await files.get(piece.policy);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await writeFile(policy, bytes);
  }
  return { ...piece, policy };
}

/** What fails once fails always: nothing is tried again. */
async function perform(crew: ProcessCrew, piece: () => Promise<Piece>): Promise<Outcome> {
  try {
    const results: unknown[] = [];
    for await (const { result } of crew.perform([await piece()])) results.push(result);
    return { status: "completed", value: results[0] };
  } catch (error) {
    const { name, message } = error as Error;
    return { status: "failed", value: { name, message } };
  }
}
