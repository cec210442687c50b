import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
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
  const policies = new LatestPolicy();
  return {
    kind: await pieceKind(model),
    handler: {
      perform: (item, _job, _run, files) =>
        perform(crew, () => policies.beside(JSON.parse(item) as Piece, files)),
      abandoned: (_item, _job, message) => ({ name: "PieceError", message }),
    },
    close: async () => {
      await crew.close();
      await policies.remove();
    },
  };
}

/** The policy that was named last, as a file: a worker that is named none leaves none behind. */
class LatestPolicy {
  #folder: string | undefined;

  /** A piece that names its policy's file here. */
  async beside(piece: Piece, files: JobFiles): Promise<Piece> {
    if (piece.work !== "draw") return piece;
    const { policy: name } = piece;
    if (!this.#folder || !existsSync(join(this.#folder, name))) {
      const bytes = await files.get(name);
      await this.remove();
      this.#folder = await mkdtemp(join(tmpdir(), "levin-policy-"));
      await writeFile(join(this.#folder, name), bytes);
    }
    return { ...piece, policy: join(this.#folder, name) };
  }

  async remove(): Promise<void> {
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
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
