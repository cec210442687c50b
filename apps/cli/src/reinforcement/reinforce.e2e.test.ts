import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRedis } from "@levin/server";
import { redisServerPath, startRedis } from "@levin/tooling/redis-server";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { killing } from "../testing/killing.ts";
import { levin, levinArguments, repository, type Outcome } from "../testing/run-levin.ts";
import { patient, startWithRedis, startWorker } from "../testing/with-redis.ts";
import { logOf } from "../testing/train-tiny.ts";
import { readReinforcementRecipe } from "./reinforcement-recipe.ts";

let folder: string;
let recipe: string;
/** Runs that nothing disturbs, into the folders `whole` and, by two processes, `shared`. */
let whole: Outcome;
let shared: Outcome;
const byTwo = ["--workers", "2"];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reinforce-"));
  recipe = await writeRecipe({});
  whole = await run("whole");
  shared = await run("shared", ...byTwo);
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Long words that spark does not always copy and count well, so that few groups are of one reward. */
async function writeRecipe(changes: object): Promise<string> {
  const path = join(folder, `recipe-${Object.keys(changes).join("-")}.json`);
  const settings = {
    seed: 5,
    iterations: 2,
    taskWeights: { "letter-counting": 1, copying: 1 },
    otherTaskWeight: 0,
    minDifficulty: 0.7,
    maxDifficulty: 0.9,
    promptsPerIteration: 2,
    groupSize: 4,
    updatesPerIteration: 2,
    learningRate: 1e-4,
    maxNewTokens: 60,
    checkpointEvery: 1,
    evaluation: { every: 2, problemsPerTask: 2 },
  };
  await writeFile(path, JSON.stringify({ ...settings, ...changes }));
  return path;
}

const run = (output: string, ...more: string[]) =>
  levin("reinforce", recipe, "--output", join(folder, output), ...more);

const weights = (output: string): Promise<Buffer> =>
  readFile(join(folder, output, "model/model.safetensors"));

describe("levin reinforce", { timeout: 180_000 }, () => {
  it("teaches spark by reward, and goes on bit for bit after kill -9", async () => {
    expect(whole).toMatchObject({ code: 0, stderr: "" });
    expect(whole.stdout).toMatch(/^held out after 0: .*letter-counting \d+, copying \d+/);
    expect(whole.stdout).toMatch(/iteration 2 \| reward 0\.\d+ \| mixed groups \d+ %/);

    // As if killed before the first checkpoint.
    await mkdir(join(folder, "killed"));
    await writeFile(join(folder, "killed/metrics.jsonl"), '{"step":0,"accuracy":0}\n');
    const args = levinArguments("reinforce", recipe, "--output", join(folder, "killed"));
    const child = spawn(process.execPath, args, { cwd: repository });
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("iteration 1")) child.kill("SIGKILL");
    });
    expect(await new Promise((done) => child.on("close", (_, signal) => done(signal)))).toBe(
      "SIGKILL",
    );
    expect(await run("killed")).toMatchObject({ code: 0, stderr: "" });
    expect((await weights("killed")).equals(await weights("whole"))).toBe(true);
    const steps = async (output: string): Promise<number[]> =>
      (await logOf(folder, output)).map(({ step }) => step);
    expect(await steps("killed")).toEqual([0, 1, 2, 2]);
    expect(await steps("whole")).toEqual([0, 1, 2, 2]);
    const [first] = await logOf(folder, "whole");
    const accuracies = first!["accuracies"] as Record<string, number>;
    const mean = (accuracies["letter-counting"]! + accuracies["copying"]!) / 2;
    expect(first!["accuracy"]).toBeCloseTo(mean, 9);
    const samples = await logOf(folder, "whole", "samples");
    expect(samples.map(({ step, source }) => [step, source])).toEqual([
      ...[
        [0, "tasks"],
        [0, "tasks"],
      ],
      ...[
        [2, "tasks"],
        [2, "tasks"],
      ],
    ]);
    expect(await logOf(folder, "killed", "samples")).toEqual(samples);

    const wild = await writeRecipe({ learningRate: 1e30, evaluation: undefined });
    const longer = ["--output", join(folder, "killed"), "--iterations", "3"];
    const diverged = await levin("reinforce", wild, ...longer);
    expect(diverged.code).toBe(1);
    expect(diverged.stderr).toMatch(
      /expected finite numbers.*the checkpoint of step 4 is kept: go on with a lower learningRate/,
    );

    const model = join(folder, "whole/model");
    const answer = await levin("generate", "What is 58 plus 67?", "--model", model);
    expect(answer).toMatchObject({ code: 0 });
    expect(answer.stdout).toContain("125");
  });

  it("ends early, with a model, when there is nothing to learn", async () => {
    const path = await writeRecipe({
      taskWeights: { comparison: 1 },
      // No thought ends so early, so no answer is right.
      maxNewTokens: 4,
    });
    const ended = await levin(
      "reinforce",
      path,
      "--output",
      join(folder, "cut"),
      "--iterations",
      "1",
    );
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/^ended early: .*mean reward 0\.00\).*too easy or too hard/);
    expect((await weights("cut")).length).toBeGreaterThan(1e6);
  });

  it("names what is wrong with a recipe", async () => {
    const path = await writeRecipe({ taskWeights: { juggling: 1 } });
    const refused = await levin("reinforce", path, "--output", join(folder, "none"));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/recipe-taskWeights\.json: .*juggling/s);
    const unbounded = await writeRecipe({ clipping: { algorithm: "grpo", high: 0.2 } });
    await expect(readReinforcementRecipe(unbounded)).rejects.toThrow(/expected a bound for grpo/);
    const crossed = await writeRecipe({ minDifficulty: 0.5, maxDifficulty: 0.4 });
    await expect(readReinforcementRecipe(crossed)).rejects.toThrow(
      /expected at most maxDifficulty 0.4, found 0.5\n.*minDifficulty/,
    );
    const none = await writeRecipe({ taskWeights: {} });
    await expect(readReinforcementRecipe(none)).rejects.toThrow(/expected a task with a weight/);
  });

  it.each(["apps/cli/recipes/reinforcement.json", "packages/spark/training/reinforcement.json"])(
    "reads %s",
    async (path) => {
      expect((await readReinforcementRecipe(join(repository, path))).iterations).toBeGreaterThan(0);
    },
  );

  it("draws in several processes, to the same model also when some are killed", async () => {
    expect(shared).toMatchObject({ code: 0, stderr: "" });
    const args = ["reinforce", recipe, "--output", join(folder, "shared-killed"), ...byTwo];
    const { code, stderr } = await killing(3, args);
    expect([code, stderr]).toEqual([0, ""]);
    expect((await weights("shared-killed")).equals(await weights("shared"))).toBe(true);
    // The first policy is spark's own, whoever draws.
    const [own, others] = await Promise.all([logOf(folder, "whole"), logOf(folder, "shared")]);
    for (const figure of ["reward", "length", "tokens"]) {
      expect(others[1]![figure]).toBe(own[1]![figure]);
    }
    expect(others[1]!["entropy"]).toBeCloseTo(own[1]!["entropy"] as number, 4);
  });

  it.skipIf(!redisServerPath())("draws by workers of a Redis what processes draw", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const first = await startWorker(redis);
    const output = join(folder, "by-redis");
    const caller = startWithRedis(redis, "reinforce", recipe, "--output", output);
    await expect.poll(caller.said, patient).toMatch(/iteration 1/);
    await first.kill();
    await startWorker(redis);
    expect(await caller.ended).toMatchObject({ code: 0 });
    expect((await weights("by-redis")).equals(await weights("shared"))).toBe(true);
    // No policy stays behind.
    const connection = await openRedis(redis.url);
    onTestFinished(() => connection.disconnect());
    expect(await connection.keys("levin:file:*")).toEqual([]);
  });
});
