// Takes the way of a release on this machine: versions and changelogs by the changesets in a copy of
// the repository, all packages to a registry of our own, then each package alone into an empty
// project. Needs built packages; `npm run release-check` builds them first. With an argument, only
// projects whose name contains it are checked.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workspace } from "../checks/workspace.ts";
import { checkCommandLine, checkServer } from "./app-projects.ts";
import { checkVite, checkWebpack } from "./browser-projects.ts";
import { checkInNode } from "./node-projects.ts";
import { publishCopy } from "./publish-copy.ts";
import { startRegistry } from "./registry.ts";

const folder = await mkdtemp(join(tmpdir(), "release-check-"));
const wanted = process.argv[2] ?? "";
let failures = 0;

/** Runs a check in a folder of its own; all run, so that one failure does not hide another. */
async function check(name: string, body: (folder: string) => Promise<unknown>): Promise<void> {
  if (name !== "publish" && !name.includes(wanted)) return;
  const place = join(folder, name.replaceAll(/\W+/g, "-"));
  const started = Date.now();
  try {
    await mkdir(place);
    await body(place);
    console.log(`ok     ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failures++;
    console.log(`FAILED ${name}\n${error instanceof Error ? error.message : error}`);
  }
}

const storage = join(folder, "registry");
await mkdir(storage);
const registry = await startRegistry(storage);
try {
  await check("publish", async (copy) => {
    for (const [name, version] of await publishCopy(copy, registry)) {
      console.log(`       ${name} ${version}`);
    }
  });
  if (failures === 0) {
    for (const pkg of workspace.filter(({ folder: at }) => at.startsWith("packages/"))) {
      await check(`${pkg.manifest.name} in Node`, (place) => checkInNode(place, registry, pkg));
    }
    await check("in a page by Vite", (place) => checkVite(place, registry));
    await check("in page and server by webpack", (place) => checkWebpack(place, registry));
    await check("@levin/cli", (place) => checkCommandLine(place, registry));
    await check("@levin/server", (place) => checkServer(place, registry));
  }
} finally {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
}
console.log(failures === 0 ? "\nready to publish" : `\n${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
