import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JobRuns, openRedis } from "@levin/server";
import { redisServerPath, startRedis, type TestRedis } from "@levin/tooling/redis-server";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { modelDirectory } from "../load-bundle.ts";
import { levin, repository, startLevin, type RunningLevin } from "../testing/run-levin.ts";
import { pieceKind } from "./piece-kind.ts";

const asked = ["eval", "--tasks", "addition,comparison,sorting", "--count", "3", "--json"];
const patient = { timeout: 60_000, interval: 50 };

// Each worker loads a model twice: for batches, and for pieces when one comes.
describe.skipIf(!redisServerPath())("levin eval over a Redis", { timeout: 240_000 }, () => {
  let redis: TestRedis;
  let folder: string;
  beforeAll(async () => {
    redis = await startRedis();
    folder = await mkdtemp(join(tmpdir(), "levin-spread-"));
  });
  afterAll(async () => {
    await redis?.stop();
    await rm(folder, { recursive: true });
  });

  function start(...args: string[]): RunningLevin {
    const running = startLevin(...args, "--redis", redis.url);
    onTestFinished(() => running.kill());
    return running;
  }

  async function startWorker(...args: string[]): Promise<RunningLevin> {
    const worker = start("worker", "--stall-seconds", "1", ...args);
    await expect.poll(worker.said, patient).toMatch(/ready/);
    return worker;
  }

  it("prints what one process prints, by workers with the same model, when one is killed", async () => {
    const other = join(folder, "other-model");
    await cp(modelDirectory(undefined), other, { recursive: true });
    await writeFile(join(other, "tokenizer_config.json"), "{}");
    const stranger = await startWorker("--model", other);

    const caller = start(...asked);
    // It sees that the stranger is none of its workers.
    await expect.poll(caller.said, patient).toMatch(/waiting: no worker with this model/);
    const first = await startWorker();
    await expect.poll(caller.said, patient).toMatch(/"addition"/);
    await first.kill();
    await startWorker();
    const { code, stdout } = await caller.ended;
    const alone = await levin(...asked);
    expect([code, stdout]).toEqual([0, alone.stdout]);
    expect(stranger.said()).toBe("levin: a worker is ready\n");
  });

  it("makes the predictions of one process, and goes on with what a killed caller left", async () => {
    const data = join(repository, "packages/evaluation/src/__fixtures__/superglue");
    const flags = ["eval", "superglue", "--data", data, "--tasks", "multirc,cb,ax-g"];
    const shared = [...flags, "--output", join(folder, "shared")];
    const runs = await openRuns(redis.url);
    const kind = await pieceKind({ backend: "wasm" });
    const caller = start(...shared);
    await expect.poll(() => runs.list(kind), patient).toHaveLength(1);
    await expect.poll(caller.said, patient).toMatch(/waiting/);
    await caller.kill();
    const left = await runs.list(kind);
    const again = start(...shared);
    await expect.poll(again.said, patient).toMatch(/waiting/);
    expect(await runs.list(kind)).toEqual(left);
    await startWorker();
    expect((await again.ended).code).toBe(0);
    expect(await runs.list(kind)).toEqual([]);

    await levin(...flags, "--output", join(folder, "alone"));
    for (const name of ["multirc", "cb", "ax-g"]) {
      const file = join("predictions", `${name}.dev.jsonl`);
      expect(await readFile(join(folder, "shared", file), "utf8")).toBe(
        await readFile(join(folder, "alone", file), "utf8"),
      );
    }
  });

  it("draws answers of a policy that is taught here, as processes of this machine do", async () => {
    const recipe = join(folder, "rewards.json");
    const settings = {
      ...{ seed: 4, iterations: 2, taskWeights: { reversing: 1 }, otherTaskWeight: 0 },
      ...{ minDifficulty: 0.9, maxDifficulty: 1, promptsPerIteration: 2, groupSize: 4 },
      ...{ updatesPerIteration: 2, learningRate: 1e-4, maxNewTokens: 60, checkpointEvery: 1 },
    };
    await writeFile(recipe, JSON.stringify(settings));
    const output = (name: string): string => join(folder, name);
    const flags = (name: string): string[] => ["reinforce", recipe, "--output", output(name)];
    const first = await startWorker();
    const caller = start(...flags("by-redis"));
    await expect.poll(caller.said, patient).toMatch(/iteration 1/);
    await first.kill();
    await startWorker();
    expect(await caller.ended).toMatchObject({ code: 0 });
    const processes = await levin(...flags("by-processes"), "--workers", "2");
    expect(processes.code).toBe(0);
    const weights = (name: string): Promise<Buffer> =>
      readFile(join(output(name), "model/model.safetensors"));
    expect((await weights("by-redis")).equals(await weights("by-processes"))).toBe(true);
    // No policy stays behind.
    const connection = await openRedis(redis.url);
    onTestFinished(() => connection.disconnect());
    expect(await connection.keys("levin:file:*")).toEqual([]);
  });

  it("takes back what nobody has begun with at Ctrl-C", async () => {
    const runs = await openRuns(redis.url);
    const kind = await pieceKind({ backend: "wasm" });
    const caller = start(...asked);
    await expect.poll(caller.said, patient).toMatch(/waiting/);
    expect(await runs.list(kind)).toHaveLength(1);
    process.kill(caller.pid, "SIGINT");
    expect(await caller.ended).toMatchObject({ code: 130, stdout: "" });
    expect(await runs.list(kind)).toEqual([]);
  });

  it("tells what failed at a worker", async () => {
    await startWorker();
    const { code, stderr } = await start(...asked, "--top-p", "7").ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^GenerationOptionsError: topP: .*found 7\n$/);
  });

  it("refuses what others can't do", async () => {
    const head = start("eval", "glue", "--data", folder, "--method", "head");
    const both = start(...asked, "--workers", "2");
    expect((await head.ended).stderr).toMatch(/^SuiteSettingsError: --redis: expected --method/);
    expect((await both.ended).stderr).toMatch(
      /--redis <url>' cannot be used with option '--workers/,
    );
  });
});

async function openRuns(url: string): Promise<JobRuns> {
  const redis = await openRedis(url);
  const runs = new JobRuns(redis);
  onTestFinished(async () => {
    await runs.close();
    redis.disconnect();
  });
  return runs;
}
