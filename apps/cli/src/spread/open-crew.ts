import type { Crew } from "./crew.ts";
import { OwnProcess } from "./own-process.ts";
import type { PieceModel } from "./perform-piece.ts";
import { ProcessCrew } from "./process-crew.ts";

/** Values of the flags that `addSpreadFlags` adds. */
export interface SpreadFlags {
  /** Processes of this machine. */
  workers?: number;
}

/** Whether others than this process do the work. */
export function isShared({ workers = 1 }: SpreadFlags): boolean {
  return workers > 1;
}

/** Whoever the flags ask for. */
export async function openCrew(flags: PieceModel & SpreadFlags): Promise<Crew> {
  const { workers = 1, model, backend, stages } = flags;
  const how = { model, backend, stages };
  return workers === 1 ? new OwnProcess(how) : new ProcessCrew(how, workers);
}
