import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, workspace } from "./workspace.ts";

/** Licences that let everybody use what is installed with our packages for any purpose. */
const permissive =
  /^(MIT|MIT-0|ISC|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|0BSD|BlueOak-1\.0\.0|CC0-1\.0|Unlicense|Zlib)$/;

/** One of several to choose from must be permissive; of several that apply together, each. */
function isPermissive(licence: string): boolean {
  const choices = licence.replaceAll(/[()]/g, "").split(" OR ");
  return choices.some((choice) => choice.split(" AND ").every((name) => permissive.test(name)));
}

describe("licences", () => {
  it("of all that is installed with our packages are permissive", () => {
    const listed = execFileSync("pnpm", ["--recursive", "licenses", "list", "--prod", "--json"], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    const byLicence = JSON.parse(listed) as Record<string, { name: string }[]>;
    const names = Object.values(byLicence).flatMap((packages) => packages.map(({ name }) => name));
    expect(names).toContain("@tensorflow/tfjs-core");
    const others = Object.entries(byLicence)
      .filter(([licence]) => !isPermissive(licence))
      .map(([licence, packages]) => `${licence}: ${packages.map(({ name }) => name).join(", ")}`);
    expect(others).toEqual([]);
  });

  it("of ours is Apache-2.0, and each package carries its text", () => {
    const text = readFileSync(join(root, "LICENSE"), "utf8");
    for (const { folder, path, manifest } of workspace) {
      expect(manifest).toMatchObject({ license: "Apache-2.0" });
      if (folder.startsWith("packages/")) {
        expect(readFileSync(join(path, "LICENSE"), "utf8")).toBe(text);
      }
    }
  });
});
