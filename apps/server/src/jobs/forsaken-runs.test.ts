import { redisServerPath, startRedis, type TestRedis } from "@levin/tooling/redis-server";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { JobRuns } from "./job-runs.ts";
import { openRedis } from "./redis-connection.ts";

const month = 30 * 24 * 3600;

describe.skipIf(!redisServerPath())("runs whose processes died", () => {
  let server: TestRedis;
  let redis: Redis;
  let runs: JobRuns;

  beforeAll(async () => {
    server = await startRedis();
    redis = await openRedis(server.url);
    runs = new JobRuns(redis);
  });
  afterAll(async () => {
    await runs?.close();
    redis?.disconnect();
    await server?.stop();
  });

  /** Seconds that each key of a run has left, by what follows the run's name. */
  async function left(id: string): Promise<Record<string, number>> {
    const keys = await redis.keys(`levin:run:${id}*`);
    const times = await Promise.all(keys.map((key) => redis.ttl(key)));
    return Object.fromEntries(keys.map((key, i) => [key.split(id)[1]!, times[i]!]));
  }

  it("are kept for a month from their last outcome on, though they never end", async () => {
    const { id } = await runs.create("forsaken", ["a", "b"]);
    const whole = expect.toSatisfy((time: number) => time > month - 60 && time <= month);
    expect(await left(id)).toEqual({ "": whole, ":items": whole });
    await redis.expire(`levin:run:${id}`, 100);
    await redis.expire(`levin:run:${id}:items`, 100);
    await runs.record(id, 0, { status: "completed", value: 1 });
    expect(await left(id)).toEqual({ "": whole, ":items": whole, ":results": whole });
    await runs.record(id, 1, { status: "completed", value: 2 });
    expect(await left(id)).toEqual({ "": whole, ":results": whole });
  });

  it("are stopped to the end by the next process", async () => {
    const { id } = await runs.create("stopped", ["a", "b", "c"]);
    // As if it had died after it took one item from the queue, before it said so.
    await redis.hset(`levin:run:${id}`, { stopped: "cancelled", stoppedAt: 1000 });
    await redis.lrem("levin:queue:stopped:wait", 1, `${id}-1`);
    await redis.del(`levin:queue:stopped:${id}-1`);
    await runs.resume("stopped");
    expect(await runs.get(id)).toMatchObject({
      counts: { completed: 0, failed: 0, skipped: 3 },
      stopped: { reason: "cancelled", at: 1000 },
    });
    expect((await runs.get(id))!.finishedAt).toBeTypeOf("number");
  });

  it("are stopped when their time is up, though nobody asks for them", async () => {
    const { id, createdAt } = await runs.create("late", ["a"], { window: 1000 });
    const later = new JobRuns(redis, () => createdAt + 1000);
    await later.resume("late");
    await later.close();
    expect(await runs.get(id)).toMatchObject({ stopped: { reason: "expired" } });
  });
});
