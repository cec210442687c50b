import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundleSize, typicalImports } from "./bundle-size.ts";
import { root, workspace } from "./workspace.ts";

/** Kilobytes (1000 bytes) that the table in README.md allows, by package. */
const rows = readFileSync(join(root, "README.md"), "utf8").matchAll(
  /^\| \[`(@levin\/[\w-]+)`\].*\| (\d+) KB \|$/gm,
);
const allowed = new Map([...rows].map(([, name, kilobytes]) => [name!, Number(kilobytes)]));

const browserPackages = workspace.filter(
  ({ folder, manifest }) => folder.startsWith("packages/") && manifest.name !== "@levin/spark",
);

describe.each(browserPackages.map((pkg) => [pkg.manifest.name, pkg] as const))(
  "%s",
  (name, pkg) => {
    it("takes no more of a page than the README says, and not much less", async () => {
      const names = typicalImports[name];
      expect(names, "typical imports of the package, in bundle-size.ts").toBeDefined();
      const kilobytes = (await bundleSize(pkg, names!)) / 1000;
      expect(kilobytes).toBeLessThanOrEqual(allowed.get(name) ?? 0);
      expect(kilobytes).toBeGreaterThan(allowed.get(name)! * 0.7 - 1);
    });
  },
);
