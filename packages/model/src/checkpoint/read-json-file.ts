import { readFile } from "node:fs/promises";
import { CheckpointError } from "./byte-source.ts";

/**
 * What a JSON file of a model directory says.
 *
 * @param ifMissing in place of a file that is not there; without it that is an error
 * @throws CheckpointError naming the file
 */
export async function readJsonFile(path: string, ifMissing?: unknown): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (isMissing && ifMissing !== undefined) return ifMissing;
    throw new CheckpointError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}
