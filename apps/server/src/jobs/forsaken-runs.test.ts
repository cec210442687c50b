import { redisServerPath } from "@levin/tooling/redis-server";
import { describe, expect, it } from "vitest";
import { ownRedis } from "../testing/own-redis.ts";
import { JobRuns } from "./job-runs.ts";

const month = 30 * 24 * 3600;

describe.skipIf(!redisServerPath())("runs whose processes died", () => {
  const own = ownRedis();

  /** Seconds that each key of a run has left, by what follows the run's name. */
  async function left(id: string): Promise<Record<string, number>> {
    const keys = await own.redis.keys(`levin:run:${id}*`);
    const times = await Promise.all(keys.map((key) => own.redis.ttl(key)));
    return Object.fromEntries(keys.map((key, i) => [key.split(id)[1]!, times[i]!]));
  }

  it("are kept for a month from their last outcome on, though they never end", async () => {
    const { id } = await own.runs.create("forsaken", ["a", "b"]);
    const whole = expect.toSatisfy((time: number) => time > month - 60 && time <= month);
    expect(await left(id)).toEqual({ "": whole, ":items": whole });
    await own.redis.expire(`levin:run:${id}`, 100);
    await own.redis.expire(`levin:run:${id}:items`, 100);
    await own.runs.record(id, 0, { status: "completed", value: 1 });
    expect(await left(id)).toEqual({ "": whole, ":items": whole, ":results": whole });
    await own.runs.record(id, 1, { status: "completed", value: 2 });
    expect(await left(id)).toEqual({ "": whole, ":results": whole });
  });

  it("are stopped to the end by the next process", async () => {
    const { id } = await own.runs.create("stopped", ["a", "b", "c"]);
    // As if it had died after it took one item from the queue, before it said so.
    await own.redis.hset(`levin:run:${id}`, { stopped: "cancelled", stoppedAt: 1000 });
    await own.redis.lrem("levin:queue:stopped:wait", 1, `${id}-1`);
    await own.redis.del(`levin:queue:stopped:${id}-1`);
    await own.runs.resume("stopped");
    expect(await own.runs.get(id)).toMatchObject({
      counts: { completed: 0, failed: 0, skipped: 3 },
      stopped: { reason: "cancelled", at: 1000 },
    });
    expect((await own.runs.get(id))!.finishedAt).toBeTypeOf("number");
  });

  it("are stopped when their time is up, though nobody asks for them", async () => {
    const { id, createdAt } = await own.runs.create("late", ["a"], { window: 1000 });
    const later = new JobRuns(own.redis, () => createdAt + 1000);
    await later.resume("late");
    await later.close();
    expect(await own.runs.get(id)).toMatchObject({ stopped: { reason: "expired" } });
  });
});
