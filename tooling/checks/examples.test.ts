import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { chromiumPath } from "../chromium.ts";
import { resultOfPage } from "../release-check/result-of-page.ts";
import { promised } from "./readme-examples.ts";
import { root } from "./workspace.ts";

const run = promisify(execFile);
const examples = join(root, "examples");
const files = readdirSync(examples).filter((name) => /^\d\d-.*\.ts$/.test(name));

describe("examples", () => {
  it.each(files)("%s prints what it promises", { timeout: 240_000 }, async (name) => {
    const { stdout } = await run(process.execPath, [
      "--conditions=@levin/source",
      join(examples, name),
    ]);
    const expected = promised(readFileSync(join(examples, name), "utf8"));
    expect(expected.length).toBeGreaterThan(0);
    expect(stdout.split("\n").filter((line) => expected.includes(line))).toEqual(expected);
  });

  it.skipIf(!chromiumPath)("the page computes in Chromium", async () => {
    const folder = await mkdtemp(join(tmpdir(), "example-page-"));
    try {
      cpSync(join(examples, "browser/index.html"), join(folder, "index.html"));
      const backend = createRequire(join(examples, "package.json")).resolve(
        "@tensorflow/tfjs-backend-wasm/package.json",
      );
      cpSync(join(dirname(backend), "dist"), join(folder, "wasm"), {
        recursive: true,
        filter: (path) => path.endsWith("dist") || path.endsWith(".wasm"),
      });
      await build({
        entryPoints: [join(examples, "browser/main.ts")],
        outfile: join(folder, "main.js"),
        bundle: true,
        format: "esm",
        platform: "browser",
        conditions: ["@levin/source"],
        logLevel: "silent",
      });
      expect(await resultOfPage(folder)).toBe("4096 tokens on wasm, remembered in 32 KB");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
