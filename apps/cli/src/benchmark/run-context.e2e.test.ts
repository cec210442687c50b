import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { ContextReport } from "@levin/evaluation";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levin, levinArguments, repository, type Outcome } from "../testing/run-levin.ts";

const spark = join(repository, "packages/spark/checkpoint");
let folder: string;
/** A run of every suite with a twin, into the folder `all`. */
let all: Outcome;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-long-"));
  all = await levin(...flags("all", "--twin", spark, "--json"));
}, 240_000);
afterAll(() => rm(folder, { recursive: true }));

function flags(output: string, ...more: string[]): string[] {
  const small = ["--lengths", "640", "--depths", "0,100", "--count", "1", "--needles", "2"];
  const answers = ["--pairs", "name", "--thinking-budget", "0"];
  return ["eval", "long", ...small, ...answers, "--output", join(folder, output), ...more];
}

const logOf = (run: string, suite: string, model: string): string =>
  join(folder, run, "predictions", `${suite}.${model}.jsonl`);

// Each run loads a model in a process of its own.
describe("levin eval long", { timeout: 240_000 }, () => {
  it("measures accuracy and memory of a model beside its twin, in every suite", async () => {
    expect([all.code, all.stderr]).toEqual([0, ""]);
    const report = JSON.parse(all.stdout) as ContextReport;
    const names = ["needle", "multi-needle", "all-needles", "key-value", "mrcr"];
    expect(report.suites.map(({ name }) => name)).toEqual(names);
    const [model, twin] = report.models;
    expect(twin!.results).toEqual(model!.results);
    for (const name of names) {
      const { count, promptTokens, stateBytes } = model!.results.find(
        ({ suite }) => suite === name,
      )!;
      expect(count).toBe(name === "all-needles" ? 1 : 2);
      expect(promptTokens).toBeGreaterThan(300);
      // Seven lightning layers of 8 heads of 16 × 16, and at least the prompt's keys and values.
      expect(stateBytes).toBeGreaterThan(4 * (7 * 8 * 16 * 16 + 2 * 2 * 16 * promptTokens));
    }
    const written = await readFile(join(folder, "all", "report.json"), "utf8");
    expect(JSON.parse(written)).toEqual(report);
    expect(await readFile(join(folder, "all", "report.md"), "utf8")).toMatch(
      /^\| 640 \| \d+\.\d % \| \d+\.\d % \| 50\.0 % \| 2 \| 0\.\d\d MiB/m,
    );
  });

  it("goes on after kill -9 where it was, also with more lengths", async () => {
    const run = flags("killed", "--suites", "needle,key-value");
    const child = execFile(process.execPath, levinArguments(...run), { cwd: repository });
    const ended = new Promise((done) => child.once("exit", done));
    while (child.exitCode === null && !existsSync(logOf("killed", "needle", "spark")))
      await wait(5);
    child.kill("SIGKILL");
    await ended;
    expect((await levin(...run)).code).toBe(0);
    expect((await levin(...run, "--lengths", "640,700")).code).toBe(0);
    for (const suite of ["needle", "key-value"]) {
      const before = await readFile(logOf("all", suite, "spark"), "utf8");
      const after = await readFile(logOf("killed", suite, "spark"), "utf8");
      expect(after.startsWith(before)).toBe(true);
      expect(after.split("\n")).toHaveLength(before.split("\n").length + 2);
    }
  });

  it("makes the same predictions in two processes", async () => {
    const shared = flags("shared", "--suites", "needle,key-value", "--workers", "2");
    const { code, stderr } = await levin(...shared, "--lengths", "640,700");
    expect([code, stderr]).toEqual([0, ""]);
    for (const suite of ["needle", "key-value"]) {
      const alone = await readFile(logOf("all", suite, "spark"), "utf8");
      const lines = (await readFile(logOf("shared", suite, "spark"), "utf8")).split("\n");
      for (const line of alone.split("\n")) expect(lines).toContain(line);
    }
  });

  it("hides needles in a text of one's own, and leaves out what is beyond a context", async () => {
    const haystack = join(folder, "text.txt");
    await writeFile(haystack, "All was still. Nobody came!");
    const more = ["--suites", "needle", "--haystack", haystack, "--context-limit", "700"];
    const run = await levin(...flags("own", ...more, "--lengths", "640,1k"));
    expect([run.code, run.stderr]).toEqual([0, "spark: beyond its context of 700 tokens: 1024\n"]);
    await writeFile(haystack, "All was loud.");
    const other = await levin(...flags("own", ...more));
    expect([other.code, other.stderr]).toEqual([
      1,
      expect.stringMatching(/PredictionLogError: .*expected predictions made with .*haystack/),
    ]);
  });

  it("asks OpenAI's MRCR from its file", async () => {
    const path = join(repository, "packages/evaluation/src/context/__fixtures__/mrcr.parquet");
    const mrcr = ["--suites", "none", "--mrcr", path, "--lengths", "4k", "--json"];
    const { code, stdout, stderr } = await levin(...flags("mrcr", ...mrcr));
    expect([code, stderr]).toEqual([0, ""]);
    const { suites, models } = JSON.parse(stdout) as ContextReport;
    expect(suites).toEqual([{ name: "openai-mrcr", title: "OpenAI's MRCR" }]);
    expect(models[0]!.results[0]).toMatchObject({ length: 4096, count: 1, score: 0 });
    expect(models[0]!.results[0]!.chance).toBeGreaterThan(0.9);
  });

  it("writes questions and answers as chats", async () => {
    const path = join(folder, "chats", "chats.jsonl");
    const { code } = await levin(...flags("none", "--suites", "needle", "--write-chats", path));
    expect([code, existsSync(join(folder, "none"))]).toEqual([0, false]);
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      const { messages } = JSON.parse(line) as { messages: { role: string; content: string }[] };
      expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
      expect(messages[0]!.content).toContain(`is ${messages[1]!.content}.`);
    }
  });

  it("says what a flag should be", async () => {
    const wrong: [flag: string, value: string, message: RegExp][] = [
      ["--suites", "none", /SuiteSettingsError: --suites: expected --mrcr beside none/],
      ["--suites", "hay", /SuiteSettingsError: --suites: expected names among needle, .*"hay"/],
      ["--lengths", "1m", /SuiteSettingsError: --lengths: expected lengths such as .*"1m"/],
      ["--depths", "101", /SuiteSettingsError: --depths: expected percentages .*"101"/],
      ["--lengths", "100", /ContextError: lengths: expected at least \d+ tokens/],
      ["--needles", "0", /expected a whole number from 1, found "0"/],
    ];
    const runs = await Promise.all(
      wrong.map(([flag, value]) => levin(...flags("wrong", flag, value))),
    );
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(
      wrong.map(([, , message]) => [1, expect.stringMatching(message)]),
    );
    const far = flags("wrong", "--redis", "redis://127.0.0.1:1", "--haystack", "text.txt");
    expect((await levin(...far)).stderr).toMatch(
      /SuiteSettingsError: --redis: expected neither --haystack nor --mrcr/,
    );
  });
});
