import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./workspace.ts";

const workflow = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");

it("the release workflow asks the pinned pnpm for provenance", () => {
  const [, name] = /^ +(\w*PROVENANCE): "true"$/m.exec(workflow)!;
  const folder = mkdtempSync(join(tmpdir(), "levin-provenance-"));
  writeFileSync(join(folder, "package.json"), '{ "name": "provenance", "version": "1.0.0" }');
  const { CI: _, GITHUB_ACTIONS: __, GITLAB_CI: ___, ...env } = process.env;
  const { stderr } = spawnSync(
    join(root, "node_modules/.bin/pnpm"),
    ["publish", "--no-git-checks", "--registry", "http://127.0.0.1:9/"],
    { cwd: folder, env: { ...env, [name!]: "true" }, encoding: "utf8" },
  );
  rmSync(folder, { recursive: true });
  // Outside of CI there is nobody to vouch for a build. Without being asked it would begin to publish.
  expect(stderr).toContain("provenance generation is not supported");
});
