import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { SuiteReport } from "@levin/evaluation";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processesOf } from "../testing/processes-of.ts";
import { levin, levinArguments, repository, type Outcome } from "../testing/run-levin.ts";

const fixtures = join(repository, "packages/evaluation/src/__fixtures__");
let folder: string;
/** A run of every task of SuperGLUE, into the folder `all`. */
let all: Outcome;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-suite-"));
  all = await levin(...flags("superglue", "all", "--json"));
}, 240_000);
afterAll(() => rm(folder, { recursive: true }));

/** Flags of a run on the hand-written files. */
function flags(suite: "glue" | "superglue", output: string, ...more: string[]): string[] {
  const data = join(fixtures, suite);
  return ["eval", suite, "--data", data, "--output", join(folder, output), ...more];
}

async function sortedLines(path: string): Promise<string[]> {
  return (await readFile(path, "utf8")).split("\n").toSorted();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

// Each run loads a model in a process of its own.
describe("levin eval glue and superglue", { timeout: 240_000 }, () => {
  it("measure every task, with an average", async () => {
    const { code, stdout, stderr } = all;
    expect([code, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout) as SuiteReport;
    expect(report.results.map(({ task }) => task)).toEqual([
      ...["boolq", "cb", "copa", "multirc", "record", "rte", "wic", "wsc", "ax-b", "ax-g"],
    ]);
    const scores = report.results.slice(0, 8).map(({ score }) => score);
    const mean = scores.reduce((sum, score) => sum + score / 8, 0);
    expect(report.average).toBeCloseTo(mean, 10);
    const written = join(folder, "all", "report.json");
    expect(JSON.parse(await readFile(written, "utf8"))).toEqual(report);
    expect(await readFile(join(folder, "all", "report.md"), "utf8")).toMatch(
      /^\| BoolQ \| accuracy/m,
    );
  });

  it("write what the leaderboard wants of test sets", async () => {
    const named = ["--split", "test", "--tasks", "cola,stsb,ax", "--limit", "2"];
    const { code, stderr } = await levin(...flags("glue", "test", ...named));
    expect([code, stderr]).toEqual([0, ""]);
    const submission = join(folder, "test", "submission");
    expect((await readdir(submission)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      ...["AX.tsv", "CoLA.tsv", "STS-B.tsv"],
    ]);
    expect(await readFile(join(submission, "CoLA.tsv"), "utf8")).toMatch(
      /^index\tprediction\n0\t[01]\n1\t[01]\n$/,
    );
  });

  it("learn a head, answer with it, and a task without training data with another's", async () => {
    const head = ["--method", "head", "--steps", "2", "--batch-size", "2"];
    const named = ["--tasks", "rte,ax-g", "--lora", "2"];
    const { code, stdout } = await levin(...flags("superglue", "head", ...head, ...named));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^AX-g {5}gender parity .* \(n = 4\)/m);
    expect(await readdir(join(folder, "head", "heads"))).toEqual(["rte"]);
  });

  it.each([
    ["a whole model", "SIGKILL", []],
    ["an adapter", "SIGINT", ["--lora", "2"]],
  ] as const)("learn a head with %s to the same bits after %s", async (_, signal, more) => {
    const head = ["--tasks", "rte", "--method", "head", "--steps", "8", "--batch-size", "2"];
    const learn = (output: string): string[] =>
      flags("superglue", output, ...head, ...more, "--checkpoint-every", "3");
    const [straight, broken] = [`straight-${signal}`, `broken-${signal}`];
    await levin(...learn(straight));
    const child = execFile(process.execPath, levinArguments(...learn(broken)), { cwd: repository });
    const ended = new Promise((done) => child.once("exit", done));
    const checkpoints = join(folder, broken, "heads", "rte.checkpoints");
    while (child.exitCode === null && !existsSync(join(checkpoints, "step-0000003"))) await wait(2);
    child.kill(signal);
    expect(await ended).toBe(signal === "SIGINT" ? 130 : null);
    // It ended in the middle, with what it had learned.
    expect(existsSync(join(folder, broken, "heads", "rte"))).toBe(false);
    expect((await readdir(checkpoints)).length).toBeGreaterThan(0);
    expect((await levin(...learn(broken))).code).toBe(0);
    expect(await readdir(join(folder, broken, "heads"))).toEqual(["rte"]);
    for (const file of ["head.safetensors", "model/model.safetensors"]) {
      const [one, other] = [straight, broken].map((output) =>
        readFileSync(join(folder, output, "heads", "rte", file)),
      );
      expect(one!.equals(other!)).toBe(true);
    }
  });

  it("refuse a checkpoint of other settings, and name them", async () => {
    const head = ["--tasks", "rte", "--method", "head", "--batch-size", "2", "--steps", "50"];
    const run = flags("superglue", "refused", ...head);
    const checkpoints = join(folder, "refused", "heads", "rte.checkpoints");
    const child = execFile(process.execPath, levinArguments(...run, "--checkpoint-every", "1"), {
      cwd: repository,
    });
    const ended = new Promise((done) => child.once("exit", done));
    while (child.exitCode === null && !existsSync(join(checkpoints, "step-0000001"))) await wait(2);
    child.kill("SIGKILL");
    await ended;
    await rm(join(folder, "refused", "predictions"), { recursive: true });
    const { code, stderr } = await levin(...run, "--seed", "5");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^TrainingCheckpointError: .*written with other settings: seed: expected 5, found 0\n$/,
    );
  });

  it("go on after kill -9 where they were, with the same predictions", async () => {
    const run = flags("superglue", "killed", "--tasks", "multirc,cb");
    const log = join(folder, "killed", "predictions", "multirc.dev.jsonl");
    const child = execFile(process.execPath, levinArguments(...run), { cwd: repository });
    const ended = new Promise((done) => child.once("exit", done));
    while (child.exitCode === null && !existsSync(log)) await wait(5);
    child.kill("SIGKILL");
    await ended;
    const again = await levin(...run);
    expect(again.code).toBe(0);
    for (const name of ["multirc", "cb"]) {
      const file = join("predictions", `${name}.dev.jsonl`);
      expect(await readFile(join(folder, "killed", file), "utf8")).toBe(
        await readFile(join(folder, "all", file), "utf8"),
      );
    }
  });

  it("make the same predictions in several processes, after they and their caller were killed", async () => {
    const run = flags("superglue", "shared", "--tasks", "multirc,cb", "--workers", "2");
    const log = join(folder, "shared", "predictions", "multirc.dev.jsonl");
    const child = execFile(process.execPath, levinArguments(...run), { cwd: repository });
    let workers: number[] = [];
    while (child.exitCode === null && workers.length < 2) workers = await processesOf(child.pid!);
    while (child.exitCode === null && !existsSync(log)) await wait(5);
    process.kill(workers[0]!, "SIGKILL");
    child.kill("SIGKILL");
    // Nothing is left that would go on for nobody.
    await expect.poll(() => workers.filter(isAlive), { timeout: 30_000 }).toEqual([]);
    expect((await levin(...run)).code).toBe(0);
    for (const name of ["multirc", "cb"]) {
      const file = join("predictions", `${name}.dev.jsonl`);
      expect(await sortedLines(join(folder, "shared", file))).toEqual(
        await sortedLines(join(folder, "all", file)),
      );
    }
  });

  it("say what is missing, and what a name should be", async () => {
    const elsewhere = ["eval", "glue", "--data", folder, "--output", join(folder, "none")];
    const [missing, unknown] = await Promise.all([
      levin(...elsewhere, "--tasks", "rte"),
      levin(...elsewhere, "--tasks", "rte,imdb"),
    ]);
    expect([missing.code, unknown.code]).toEqual([1, 1]);
    expect(missing.stderr).toMatch(
      /MissingDataError: RTE, dev: expected .*RTE\/dev.tsv, found no such file; GLUE's data can be had from https:\/\/gluebenchmark.com/,
    );
    expect(unknown.stderr).toMatch(
      /SuiteSettingsError: --tasks: expected names among cola, sst2, .*, found "imdb"/,
    );
  });
});
