// Publishes every package whose version is new. On GitHub it first writes into each where it comes
// from: provenance is only given to packages that name the repository which builds them.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;

for (const group of ["packages", "apps"]) {
  for (const name of readdirSync(join(root, group))) {
    const file = join(root, group, name, "package.json");
    if (!GITHUB_REPOSITORY || !existsSync(file)) continue;
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    manifest.repository = {
      type: "git",
      url: `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`,
      directory: `${group}/${name}`,
    };
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}
execFileSync("changeset", ["publish"], { cwd: root, stdio: "inherit" });
