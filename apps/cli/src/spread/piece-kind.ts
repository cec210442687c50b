import { createRequire } from "node:module";
import { modelDirectory } from "../load-bundle.ts";
import { hashOfModel } from "../training/fingerprints.ts";
import type { PieceModel } from "./perform-piece.ts";

/**
 * The kind of job that pieces are: what results depend on beside them. Workers with another model,
 * backend or version of Levin have another kind, and never see them.
 */
export async function pieceKind(
  { model, backend }: PieceModel,
  modelHash?: string,
): Promise<string> {
  const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
  const hash = modelHash ?? (await hashOfModel(modelDirectory(model)));
  return `evaluation-${version}-${backend}-${hash}`;
}
