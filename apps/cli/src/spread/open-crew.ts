import type { Crew } from "./crew.ts";
import { OwnProcess } from "./own-process.ts";
import type { PieceModel } from "./perform-piece.ts";
import { pieceKind } from "./piece-kind.ts";
import { ProcessCrew } from "./process-crew.ts";

/** Values of the flags that `addSpreadFlags` adds. */
export interface SpreadFlags {
  /** Processes of this machine. */
  workers?: number;
  /** Address of the Redis of workers on any machine. */
  redis?: string;
}

/** Whether other processes do the work, here or elsewhere. */
export function isShared({ workers = 1, redis }: SpreadFlags): boolean {
  return workers > 1 || redis !== undefined;
}

/**
 * Whoever the flags ask for.
 *
 * @param modelHash of the model's directory, where it is known: to hash a large one takes a while
 * @throws RedisUnavailableError
 */
export async function openCrew(flags: PieceModel & SpreadFlags, modelHash?: string): Promise<Crew> {
  const { workers = 1, redis: url, model, backend, stages } = flags;
  const how = { model, backend, stages };
  if (url !== undefined) {
    // Loaded here, so that other ways do without a web server.
    const { RedisCrew } = await import("./redis-crew.ts");
    return RedisCrew.open({ url, kind: await pieceKind(how, modelHash), onNotice: console.error });
  }
  return workers === 1 ? new OwnProcess(how) : new ProcessCrew(how, workers);
}
