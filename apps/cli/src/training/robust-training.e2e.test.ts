import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { levinArguments, repository } from "../testing/run-levin.ts";
import { tinyRecipe } from "../testing/tiny-recipe.ts";
import type { Recipe } from "./recipe.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "robust-training-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  signal: string | null;
  lines: string[];
  stderr: string;
}

/** Trains in a process of its own; `disturb` may do something to it after each of its lines. */
async function trained(
  output: string,
  changes: Partial<Recipe> = {},
  disturb: (child: ChildProcess, lines: number) => void = () => {},
  shell = "exec",
): Promise<Ended> {
  const recipe = join(folder, "recipe.json");
  await writeFile(recipe, JSON.stringify({ ...tinyRecipe, ...changes }));
  const args = levinArguments("train", recipe, "--output", join(folder, output));
  const child = spawn("bash", ["-c", `${shell} "$0" "$@"`, process.execPath, ...args], {
    cwd: repository,
  });
  const ended: Ended = { code: null, signal: null, lines: [], stderr: "" };
  child.stderr.on("data", (chunk: Buffer) => (ended.stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split("\n")) {
      disturb(child, ended.lines.push(line));
    }
  });
  [ended.code, ended.signal] = await new Promise<[number | null, string | null]>((done) =>
    child.on("close", (...how) => done(how)),
  );
  return ended;
}

/** Metrics without the times. */
async function metrics(output: string): Promise<{ step: number }[]> {
  const text = await readFile(join(folder, output, "metrics.jsonl"), "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const { seconds, ...rest } = JSON.parse(line) as { step: number; seconds: number };
      expect(seconds).toBeGreaterThan(0);
      return rest;
    });
}

const weights = (output: string): Promise<Buffer> =>
  readFile(join(folder, output, "model/model.safetensors"));

const checkpoints = (output: string): Promise<string[]> =>
  readdir(join(folder, output, "checkpoints"));

describe("levin train", () => {
  it("goes on bit for bit, metrics too, after kill -9 at any moment", async () => {
    expect(await trained("straight")).toMatchObject({ code: 0, stderr: "" });
    for (let kill = 0; kill < 5; kill++) {
      const [after, delay] = [1 + Math.floor(Math.random() * 5), Math.random() * 40];
      const { signal } = await trained("killed", {}, (child, lines) => {
        if (lines === after) setTimeout(() => child.kill("SIGKILL"), delay);
      });
      expect(signal).toBe("SIGKILL");
    }
    expect(await trained("killed")).toMatchObject({ code: 0, stderr: "" });
    expect(await metrics("killed")).toEqual(await metrics("straight"));
    expect((await metrics("straight")).map(({ step }) => step)).toEqual(
      Array.from({ length: tinyRecipe.steps }, (_, i) => i + 1),
    );
    expect((await weights("killed")).equals(await weights("straight"))).toBe(true);
  });

  it("leaves a checkpoint when it is interrupted, and loses no step", async () => {
    const slow = { checkpointEvery: 1000, steps: 12 };
    const { code, stderr } = await trained("interrupted", slow, (child, lines) => {
      if (lines === 5) child.kill("SIGINT");
    });
    expect(code).toBe(130);
    const step = Number(/^stopped after step (\d+) of 12;/.exec(stderr)?.[1]);
    expect(step).toBeGreaterThanOrEqual(5);
    expect(await checkpoints("interrupted")).toEqual([`step-${String(step).padStart(7, "0")}`]);
    expect(await metrics("interrupted")).toHaveLength(step);
    const rest = await trained("interrupted", slow);
    expect(rest.lines).toHaveLength(12 - step);
  });

  it("stops at a loss that is not finite, and goes on from the good checkpoint at a lower rate", async () => {
    const steps = { checkpointEvery: 1, warmupSteps: 1 };
    expect(await trained("diverged", { ...steps, steps: 4 })).toMatchObject({ code: 0 });
    const wild = await trained("diverged", { ...steps, learningRate: 1e25 });
    expect(wild.code).toBe(1);
    expect(wild.stderr).toMatch(
      /^DivergedError: step \d+: expected finite numbers after the update, found .*NaN; the checkpoint of step 4 is kept: go on with a lower learningRate\n$/,
    );
    expect(await checkpoints("diverged")).toEqual(["step-0000003", "step-0000004"]);
    const calm = await trained("diverged", { ...steps, steps: 6 });
    expect(calm).toMatchObject({ code: 0, stderr: "" });
    expect(calm.lines.map((line) => line.split(" | ")[0])).toEqual(["step 5", "step 6"]);
    expect((await metrics("diverged")).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.skipIf(process.platform === "win32")(
    "says in a line that the disk takes no more, and keeps what it has",
    async () => {
      expect(await trained("full", { steps: 3 })).toMatchObject({ code: 0 });
      // No file may be larger, so the system refuses the second checkpoint.
      const { code, stderr } = await trained("full", {}, undefined, "ulimit -f 64; exec");
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^TrainingCheckpointError: .*step-0000006: can't be written: EFBIG.*\n$/,
      );
      expect((await checkpoints("full")).filter((name) => !name.startsWith("."))).toEqual([
        "step-0000003",
      ]);
      expect((await trained("full", { steps: 6 })).lines).toHaveLength(3);
    },
  );

  it("says in a line that there is no place for its output", async () => {
    const { code, stderr } = await trained("recipe.json/run");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^OutputError: .*recipe.json.run: can't be written: ENOTDIR.*\n$/);
  });
});
