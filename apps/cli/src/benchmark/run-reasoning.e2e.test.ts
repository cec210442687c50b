import { copyFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levin, repository } from "../testing/run-levin.ts";
import { runReasoning, type ReasoningReport, type ReasoningSettings } from "./run-reasoning.ts";

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

  it("tells files of the same name in different folders apart", async () => {
    const files: string[] = [];
    for (const name of ["gsm8k", "math"]) {
      await mkdir(join(folder, "data", name), { recursive: true });
      files.push(join(folder, "data", name, "test.jsonl"));
      await copyFile(join(fixtures, `${name}.jsonl`), files.at(-1)!);
    }
    const run = await levin(...flags("same", "--data", ...files));
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(run.stdout).toMatch(/^gsm8k-test .*n = 3\)\nmath-test .*n = 3\)\n/);
    for (const name of ["gsm8k", "math"]) {
      const log = await readFile(join(folder, "same", "predictions", `${name}-test.jsonl`), "utf8");
      expect(log.trim().split("\n")).toHaveLength(4);
    }
  });

  it("tells of settings that would measure nothing, or not what they say", async () => {
    const data = [join(fixtures, "math.jsonl")];
    const examples = data[0]!;
    const empty = join(folder, "empty.jsonl");
    await writeFile(empty, "\n");
    const settings: ReasoningSettings = {
      ...{ backend: "cpu", output: join(folder, "none"), instruction: "", shots: 0, samples: 1 },
      ...{ problemSeed: 0, maxDifficulty: 1, temperature: 0, maxTokens: 1, seed: 0 },
    };
    const events = { ...{ onAnswered: () => {}, onResult: () => {} }, signal: AbortSignal.abort() };
    const wrong: [changes: Partial<ReasoningSettings>, message: string][] = [
      [{ data, shots: 2 }, "expected --examples and --shots together"],
      [{ data, examples }, "expected --examples and --shots together"],
      [{ data, examples, shots: 9 }, "--shots: expected at most 3, the examples of"],
      [{ shots: 2 }, "expected --data beside them"],
      [{ data: [...data, ...data] }, "--data: expected files of different names"],
      [{ data, samples: 4 }, "--temperature: expected more than 0"],
      [{ data: [empty] }, "empty.jsonl: expected problems, an object a line, found none"],
    ];
    for (const [changes, message] of wrong) {
      await expect(runReasoning({ ...settings, ...changes }, events)).rejects.toThrow(message);
    }
  });

  it("names a flag or a file that is none", async () => {
    const wrong: [flags: string[], message: RegExp][] = [
      [["--samples", "0"], /expected a whole number from 1, found "0"/],
      [["--data", join(folder, "none.jsonl")], /^Error: ENOENT: .*none.jsonl'\n$/],
    ];
    for (const [more, message] of wrong) {
      const { code, stderr } = await levin(...flags("none", ...more));
      expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    }
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
