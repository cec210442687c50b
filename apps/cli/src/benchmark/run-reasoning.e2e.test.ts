import { mkdtemp, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levin, repository } from "../testing/run-levin.ts";
import type { ReasoningReport } from "./run-reasoning.ts";

const fixtures = join(repository, "packages/evaluation/src/__fixtures__/reasoning");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-reasoning-"));
});
afterAll(() => rm(folder, { recursive: true }));

function flags(output: string, ...more: string[]): string[] {
  const short = ["--max-tokens", "48", "--thinking-budget", "16"];
  return ["eval", "reasoning", "--output", join(folder, output), ...short, ...more];
}

// Each run loads a model in a process of its own.
describe("levin eval reasoning", { timeout: 240_000 }, () => {
  it("asks several samples of each problem of tasks, and goes on where it stopped", async () => {
    const run = flags(
      ...["tasks", "--tasks", "addition,recall", "--count", "5", "--max-difficulty", "0.2"],
      ...["--samples", "4", "--temperature", "0.8", "--json"],
    );
    const first = await levin(...run);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    const report = JSON.parse(first.stdout) as ReasoningReport;
    expect(report.results.map(({ suite }) => suite)).toEqual(["addition", "recall"]);
    for (const { problems, samples, passAt, accuracy, majority } of report.results) {
      expect([problems, samples, Object.keys(passAt)]).toEqual([5, 4, ["1", "2", "4"]]);
      expect(passAt[1]).toBeCloseTo(accuracy, 12);
      expect(passAt[4]).toBeGreaterThanOrEqual(passAt[1]!);
      expect(majority).toBeLessThanOrEqual(1);
    }
    // Spark adds small numbers right in some of twenty tries.
    expect(report.results[0]!.accuracy).toBeGreaterThan(0);
    const log = join(folder, "tasks", "predictions", "addition.jsonl");
    const lines = await readFile(log, "utf8");
    await truncate(log, lines.lastIndexOf('{"id":"2#1"') + 20);
    expect((await levin(...run, "--workers", "2")).stdout).toBe(first.stdout);
    const sorted = (text: string) => text.trim().split("\n").toSorted();
    expect(sorted(await readFile(log, "utf8"))).toEqual(sorted(lines));
    expect(await readFile(join(folder, "tasks", "report.md"), "utf8")).toMatch(
      /^\| addition \| 5 \| \d+\.\d \(.*\) \| \d+\.\d \| \d+\.\d \| \d+\.\d \|$/m,
    );
  });

  it("asks the problems of files, behind examples", async () => {
    const files = ["gsm8k", "math"].map((name) => join(fixtures, `${name}.jsonl`));
    const examples = ["--examples", files[0]!, "--shots", "1"];
    const run = await levin(...flags("files", "--data", ...files, "--count", "2", ...examples));
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(run.stdout).toMatch(/^gsm8k +\d+\.\d % .*n = 2\)\nmath +\d+\.\d % .*n = 2\)\n/);
  });

  it("names a line that is none", async () => {
    const path = join(repository, "README.md");
    const { code, stderr } = await levin(...flags("wrong", "--data", path));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/DataError: .*README.md:1: expected a JSON object, found "# Levin"/),
    ]);
  });
});
