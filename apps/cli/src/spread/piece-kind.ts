import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { modelDirectory } from "../load-bundle.ts";
import { hashOf, modelFiles } from "../training/fingerprints.ts";
import type { PieceModel } from "./perform-piece.ts";

/**
 * The kind of job that pieces are: what results depend on beside them. Workers with another model,
 * backend or version of Levin have another kind, and never see them.
 */
export async function pieceKind({ model, backend }: PieceModel): Promise<string> {
  const directory = modelDirectory(model);
  const texts = ["tokenizer.json", "tokenizer_config.json"].map((name) => join(directory, name));
  const files = [...(await modelFiles(directory)), ...texts.filter((path) => existsSync(path))];
  const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
  return `evaluation-${version}-${backend}-${await hashOf(files)}`;
}
