import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root, workspace } from "../checks/workspace.ts";
import type { Registry } from "./registry.ts";
import { run } from "./run.ts";

/**
 * Takes the way of a release in a copy of the repository, built files included: versions and
 * changelogs by the changesets, then every public package to the registry.
 *
 * @returns the version of each published package by its name
 */
export async function publishCopy(copy: string, registry: Registry): Promise<Map<string, string>> {
  await copyRepository(copy);
  await run("git", ["init", "--quiet", "--initial-branch=main"], { cwd: copy });
  const identity = ["-c", "user.name=release-check", "-c", "user.email=release@check"];
  await run("git", ["add", "--all"], { cwd: copy });
  await run("git", [...identity, "commit", "--quiet", "--message=Copy"], { cwd: copy });
  await run("changeset", ["version"], { cwd: copy });
  // The ranges of workspace packages are written by pnpm from what is installed.
  await run("pnpm", ["install", "--offline", "--ignore-scripts", "--no-frozen-lockfile"], {
    cwd: copy,
  });
  await writeFile(join(copy, ".npmrc"), registry.npmrc);
  // As the release workflow does it. Publishing takes a token, whatever it is.
  await run("node", ["tooling/publish.mjs", "--no-git-tag"], {
    cwd: copy,
    env: { ...process.env, NPM_TOKEN: "anybody", CI: "true" },
  });
  return versions(copy);
}

/** All files that git would keep, and what was built from them. */
async function copyRepository(copy: string): Promise<void> {
  const listed = await run(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    {
      cwd: root,
    },
  );
  const built = workspace
    .filter(({ manifest }) => !manifest.private)
    .map(({ folder }) => `${folder}/dist`);
  for (const path of [...listed.split("\0").filter(Boolean), ...built]) {
    await cp(join(root, path), join(copy, path), { recursive: true });
  }
}

async function versions(copy: string): Promise<Map<string, string>> {
  const published = workspace.filter(({ manifest }) => !manifest.private);
  const entries = published.map(async ({ folder, manifest }) => {
    const text = await readFile(join(copy, folder, "package.json"), "utf8");
    return [manifest.name, (JSON.parse(text) as { version: string }).version] as const;
  });
  return new Map(await Promise.all(entries));
}
