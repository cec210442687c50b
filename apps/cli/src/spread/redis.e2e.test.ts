import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JobRuns, openRedis } from "@levin/server";
import { redisServerPath, startRedis, type TestRedis } from "@levin/tooling/redis-server";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { modelDirectory } from "../load-bundle.ts";
import { levin, repository, type RunningLevin } from "../testing/run-levin.ts";
import { patient, startWithRedis, startWorker } from "../testing/with-redis.ts";
import { pieceKind } from "./piece-kind.ts";

const asked = ["eval", "--tasks", "addition,comparison,sorting", "--count", "3", "--json"];

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

  const start = (...args: string[]): RunningLevin => startWithRedis(redis, ...args);

  it("prints what one process prints, by workers with the same model, when one is killed", async () => {
    const other = join(folder, "other-model");
    await cp(modelDirectory(undefined), other, { recursive: true });
    await writeFile(join(other, "tokenizer_config.json"), "{}");
    const stranger = await startWorker(redis, "--model", other);

    const caller = start(...asked);
    // It sees that the stranger is none of its workers.
    await expect.poll(caller.said, patient).toMatch(/waiting: no worker with this model/);
    const first = await startWorker(redis);
    await expect.poll(caller.said, patient).toMatch(/"addition"/);
    await first.kill();
    await startWorker(redis);
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
    await startWorker(redis);
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
    await startWorker(redis);
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
