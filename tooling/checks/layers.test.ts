import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { workspace, type WorkspacePackage } from "./workspace.ts";

/** What each package may import of ours: the direction in docs/architecture.md. */
const allowed: Record<string, string[]> = {
  "@levin/kernels": [],
  "@levin/lightning-attention": ["@levin/kernels"],
  "@levin/softmax-attention": ["@levin/kernels"],
  "@levin/moe": ["@levin/kernels"],
  "@levin/tokenizer": [],
  "@levin/tasks": [],
  "@levin/spark": [],
  "@levin/model": [
    "@levin/kernels",
    "@levin/lightning-attention",
    "@levin/moe",
    "@levin/softmax-attention",
  ],
  "@levin/training": ["@levin/kernels", "@levin/model", "@levin/moe"],
  "@levin/evaluation": ["@levin/kernels", "@levin/model", "@levin/tasks", "@levin/training"],
};

/** Reached only through these entries, files may use Node. */
const nodeEntries = ["src/node.ts", "src/parity/index.ts"];
const nodeOnly = ["@levin/spark"];

const importPattern = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

function importsOf(pkg: WorkspacePackage, file: string): string[] {
  const text = readFileSync(join(pkg.path, file), "utf8");
  return [...text.matchAll(importPattern)].map((match) => match[1]!);
}

/** All files that a package's entries reach. */
function reachable(pkg: WorkspacePackage, entries: string[]): Set<string> {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file) || !pkg.sources.includes(file)) return;
    seen.add(file);
    for (const specifier of importsOf(pkg, file)) {
      if (specifier.startsWith(".")) visit(join(file, "..", specifier));
    }
  };
  entries.forEach(visit);
  return seen;
}

describe.each(workspace.map((pkg) => [pkg.manifest.name, pkg] as const))("%s", (name, pkg) => {
  const imports = pkg.sources.flatMap((file) => importsOf(pkg, file));
  const ours = [...new Set(imports.filter((specifier) => specifier.startsWith("@levin/")))];

  it("has source files to look at", () => expect(pkg.sources.length).toBeGreaterThan(0));

  it("imports of ours only what the architecture allows, and declares it", () => {
    const names = [...new Set(ours.map((specifier) => specifier.split("/").slice(0, 2).join("/")))];
    if (pkg.folder.startsWith("packages/")) {
      expect(names.filter((other) => !allowed[name]!.includes(other))).toEqual([]);
    }
    const declared = Object.keys(pkg.manifest.dependencies ?? {});
    expect(names.filter((other) => !declared.includes(other))).toEqual([]);
  });

  it("imports only what other packages export", () => {
    for (const specifier of ours) {
      const [scope, other, ...rest] = specifier.split("/");
      const { manifest } = workspace.find((p) => p.manifest.name === `${scope}/${other}`)!;
      expect(Object.keys(manifest.exports!)).toContain(
        ["./", ...rest].join("").replace(/\/$/, "") || ".",
      );
    }
  });

  it("references in its tsconfig exactly the packages it depends on", () => {
    const { references = [] } = JSON.parse(
      readFileSync(join(pkg.path, "tsconfig.json"), "utf8"),
    ) as { references?: { path: string }[] };
    const referenced = references.map(({ path }) => join(pkg.folder, path));
    const depended = Object.keys(pkg.manifest.dependencies ?? {})
      .filter((other) => other.startsWith("@levin/"))
      .map((other) => workspace.find((p) => p.manifest.name === other)!.folder);
    expect(new Set(referenced)).toEqual(new Set(depended));
  });

  it.skipIf(pkg.folder.startsWith("apps/") || nodeOnly.includes(name))(
    "runs in browsers: only its Node entries reach Node's modules",
    () => {
      const entries = pkg.sources.filter(
        (file) => /^src\/[^/]+\.ts$/.test(file) && !nodeEntries.includes(file),
      );
      const inBrowser = reachable(
        pkg,
        ["src/index.ts", "src/layers.ts"].filter((entry) => entries.includes(entry)),
      );
      const offending = [...inBrowser].filter((file) =>
        importsOf(pkg, file).some((specifier) => specifier.startsWith("node:")),
      );
      expect(offending).toEqual([]);
    },
  );
});
