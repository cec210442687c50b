// Publishes every package whose version is new, by the token in NPM_TOKEN, or without one as whoever
// the registry trusts. On GitHub it first writes into each where it comes from: provenance is only given
// to packages that name the repository which builds them.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, NPM_TOKEN } = process.env;

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
execFileSync("changeset", ["publish", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, ...(NPM_TOKEN && { NPM_CONFIG_USERCONFIG: tokenFile() }) },
});

/** A file that tells pnpm to use the token, which it reads from the environment itself. */
function tokenFile() {
  const registry = execFileSync("pnpm", ["config", "get", "registry"], {
    cwd: root,
    encoding: "utf8",
  });
  const { host, pathname } = new URL(registry.trim());
  const file = join(mkdtempSync(join(tmpdir(), "publish-")), ".npmrc");
  writeFileSync(file, `//${host}${pathname}:_authToken=\${NPM_TOKEN}\n`);
  return file;
}
