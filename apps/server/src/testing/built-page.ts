import { createHash } from "node:crypto";
import { existsSync, globSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "vite";

const repository = join(import.meta.dirname, "../../../..");
const root = join(import.meta.dirname, "../../page");
const builds = join(import.meta.dirname, "../../dist/page-tests");
const sources = ["apps/server/page/**/*.*", "packages/*/src/**/*.ts"];

/** The folder of a build of the page as its sources are now; test files that run at once share it. */
export async function builtPage(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of sources.flatMap((pattern) => globSync(pattern, { cwd: repository })).sort()) {
    const { mtimeMs, size } = statSync(join(repository, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  const folder = join(builds, hash.digest("hex").slice(0, 16));
  if (existsSync(folder)) return folder;
  await mkdir(builds, { recursive: true });
  const outDir = await mkdtemp(`${folder}-`);
  await build({ root, logLevel: "error", build: { outDir } });
  // Whoever was faster has built the same.
  await rename(outDir, folder).catch(() => rm(outDir, { recursive: true }));
  return folder;
}
