import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entriesOf } from "./entries.ts";
import { workspace } from "./workspace.ts";

const published = workspace.filter(({ folder }) => folder.startsWith("packages/"));
const tfjs = ["core", "layers", "backend-cpu", "backend-wasm"].map(
  (name) => `@tensorflow/tfjs-${name}@4.22.0`,
);
const entries = published.flatMap(({ manifest }) => entriesOf(manifest));

describe("packages as they would be published", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "levin-pack-"));
    const tarballs = published.map(({ path, manifest }) => {
      execFileSync("pnpm", ["pack", "--pack-destination", folder], { cwd: path, stdio: "pipe" });
      return join(folder, `${manifest.name.replace("@", "").replace("/", "-")}-0.0.0.tgz`);
    });
    const project = { name: "consumer", private: true, type: "module" };
    writeFileSync(join(folder, "package.json"), JSON.stringify(project));
    // Our packages are not in the registry yet, so all tarballs are installed together.
    execFileSync("npm", ["install", "--no-audit", "--no-fund", ...tfjs, ...tarballs], {
      cwd: folder,
      stdio: "pipe",
    });
  }, 240_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("have every package of the workspace", () => expect(published).toHaveLength(10));

  it.each(entries)("$specifier imports under Node", ({ specifier }) => {
    const code = `const names = Object.keys(await import(${JSON.stringify(specifier)})); console.log(names.length);`;
    const count = execFileSync(process.execPath, ["--input-type=module", "--eval", code], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(Number(count.trim().split("\n").at(-1))).toBeGreaterThan(0);
  });

  it.each(entries.filter(({ needsNode }) => !needsNode))(
    "$specifier bundles for the browser",
    async ({ specifier }) => {
      const result = await build({
        stdin: { contents: `export * from ${JSON.stringify(specifier)};`, resolveDir: folder },
        bundle: true,
        format: "esm",
        platform: "browser",
        write: false,
        logLevel: "silent",
      });
      expect(result.outputFiles[0]!.text.length).toBeGreaterThan(100);
    },
  );

  it("come with licence and README", () => {
    for (const { manifest } of published) {
      const files = execFileSync("ls", [join(folder, "node_modules", manifest.name)], {
        encoding: "utf8",
      });
      expect(files).toMatch(/README\.md/);
      expect(files).toMatch(/LICENSE/);
    }
  });
});
