import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { codeBlocks, promised } from "./readme-examples.ts";
import { root } from "./workspace.ts";

const run = promisify(execFile);
const tour = join(root, "docs/tour");
const steps = readdirSync(tour).filter((name) => /^\d\d-.*\.ts$/.test(name));

describe("the tour", () => {
  it("has ten steps", () => expect(steps).toHaveLength(10));

  it.each(steps)(
    "%s prints what it promises and draws its plot",
    { timeout: 240_000 },
    async (step) => {
      const plots = await mkdtemp(join(tmpdir(), "tour-"));
      try {
        const { stdout } = await run(
          process.execPath,
          ["--conditions=@levin/source", join(tour, step)],
          { env: { ...process.env, LEVIN_PLOTS: plots } },
        );
        const expected = promised(readFileSync(join(tour, step), "utf8"));
        expect(expected.length).toBeGreaterThan(0);
        expect(stdout.split("\n").filter((line) => expected.includes(line))).toEqual(expected);
        const name = step.replace(".ts", ".svg");
        expect(await readFile(join(plots, name), "utf8")).toMatch(/^<svg[\s\S]*<path/);
        expect(readdirSync(join(tour, "plots"))).toContain(name);
      } finally {
        await rm(plots, { recursive: true });
      }
    },
  );

  it("quotes its steps as they are", () => {
    const sources = steps.map((step) => readFileSync(join(tour, step), "utf8"));
    const quoted = codeBlocks(join(tour, "README.md"));
    expect(quoted.length).toBeGreaterThanOrEqual(steps.length);
    for (const code of quoted) expect(sources.some((source) => source.includes(code))).toBe(true);
  });
});
