import { redisServerPath } from "@levin/tooling/redis-server";
import { describe, expect, it, onTestFinished } from "vitest";
import { ownRedis } from "../testing/own-redis.ts";
import { JobFileError, JobFiles } from "./job-files.ts";
import type { Outcome } from "./job-runs.ts";
import { NotYet, startJobWorker, type JobHandler } from "./job-worker.ts";

const patient = { timeout: 30_000 };

describe.skipIf(!redisServerPath())("runs of jobs", () => {
  const own = ownRedis();
  let kinds = 0;

  const completed = (value: unknown): Outcome => ({ status: "completed", value });
  const outcomes = async (id: string): Promise<Outcome[]> => {
    const found: Outcome[] = [];
    for await (const outcome of own.runs.outcomes(id)) found.push(outcome);
    return found;
  };

  /** A worker until the test ends. */
  async function work(
    kind: string,
    perform: JobHandler["perform"],
    now: () => number = Date.now,
  ): Promise<void> {
    const handler = {
      perform,
      abandoned: (item: string, _: unknown, why: string) => `${item}: ${why}`,
    };
    const options = { redisUrl: own.url, kind, handler, concurrency: 3, stallSeconds: 1, now };
    onTestFinished(await startJobWorker(options));
  }

  const finished = async (id: string): Promise<void> => {
    await expect
      .poll(async () => (await own.runs.get(id))?.finishedAt, patient)
      .toBeTypeOf("number");
  };

  it("hand workers the files that items name, until somebody removes them", async () => {
    const kind = `kind-${kinds++}`;
    const files = new JobFiles(own.redis);
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const name = await files.put(bytes.subarray(1, 200));
    await work(kind, async (item, _job, _run, its) => completed([...(await its.get(item))]));
    const run = await own.runs.create(kind, [name]);
    await finished(run.id);
    expect(await outcomes(run.id)).toEqual([completed([...bytes.subarray(1, 200)])]);
    await files.remove(name);
    await expect(files.get(name)).rejects.toThrow(JobFileError);
  });

  it("keep a file that several put until the last has removed it", async () => {
    const [one, other] = [new JobFiles(own.redis), new JobFiles(own.redis)];
    const bytes = Uint8Array.from([1, 2, 3]);
    const name = await one.put(bytes);
    expect(await other.put(bytes)).toBe(name);
    await one.remove(name);
    expect([...(await other.get(name))]).toEqual([1, 2, 3]);
    await other.remove(name);
    await expect(other.get(name)).rejects.toThrow(JobFileError);
    expect(await own.redis.keys(`*${name}*`)).toEqual([]);
  });

  it("are of any kind, and reach the workers of that kind alone", async () => {
    const [kind, other] = [`kind-${kinds++}`, `kind-${kinds++}`];
    const run = await own.runs.create(kind, ["a", "b", "c"], { details: { of: "mine" } });
    await work(other, () => Promise.reject(new Error("not this one")));
    await work(kind, async (item, { index }) => completed(`${item}${index}`));
    await finished(run.id);
    expect(await outcomes(run.id)).toEqual(["a0", "b1", "c2"].map(completed));
    expect(await own.runs.get(run.id)).toMatchObject({
      kind,
      details: { of: "mine" },
      counts: { completed: 3, failed: 0, skipped: 0 },
    });
    expect(await own.runs.list(kind)).toEqual([run.id]);
    const queue = (await own.runs.queues()).find((one) => one.kind === kind);
    expect(queue).toEqual({
      kind,
      waiting: 0,
      active: 0,
      delayed: 0,
      ended: { completed: 3, failed: 0, skipped: 0 },
    });
  });

  it("store the first outcome of an item, however many come at once", async () => {
    const { id } = await own.runs.create(`kind-${kinds++}`, ["a", "b"]);
    const first = await Promise.all(
      Array.from({ length: 20 }, (_, n) => own.runs.record(id, 0, completed(n))),
    );
    expect(first.filter(Boolean)).toHaveLength(1);
    expect((await own.runs.get(id))!.counts.completed).toBe(1);
    expect((await own.runs.get(id))!.finishedAt).toBeUndefined();
    expect(await own.runs.record("unknown", 0, completed(1))).toBe(false);
  });

  it("are completed when their creator died before it handed them over", async () => {
    const kind = `kind-${kinds++}`;
    const { id } = await own.runs.create(kind, ["a", "b", "c"]);
    // As if it had died after the first item was added.
    await own.redis.hdel(`levin:run:${id}`, "isQueued");
    const names = await own.redis.keys(`levin:queue:${kind}:*`);
    await own.redis.del(...names);
    await own.runs.resume(kind);
    await work(kind, async (item) => completed(item));
    await finished(id);
    expect(await outcomes(id)).toEqual(["a", "b", "c"].map(completed));
  });

  it("try an item again that could not be done for now", async () => {
    const kind = `kind-${kinds++}`;
    const { id } = await own.runs.create(kind, ["a"]);
    let tries = 0;
    await work(kind, async (item) => {
      if (++tries < 2) throw new Error("not now");
      return completed(item);
    });
    await finished(id);
    expect(tries).toBe(2);
    expect(await outcomes(id)).toEqual([completed("a")]);
  });

  it("give an item up at whose hands workers die again and again", async () => {
    const kind = `kind-${kinds++}`;
    const { id } = await own.runs.create(kind, ["deadly"]);
    // A job whose workers fell silent three times, as BullMQ counts it.
    await own.redis.hset(`levin:queue:${kind}:${id}-0`, "stc", 3);
    let tries = 0;
    await work(kind, async (item) => {
      tries += 1;
      return completed(item);
    });
    await finished(id);
    expect(tries).toBe(0);
    const value = "deadly: 3 workers died of it or fell silent";
    expect(await outcomes(id)).toEqual([{ status: "failed", value }]);
  });

  it("stop: what is at hand is completed, the rest is skipped", async () => {
    const kind = `kind-${kinds++}`;
    const items = Array.from({ length: 10 }, (_, n) => `${n}`);
    const { id } = await own.runs.create(kind, items);
    let goOn = (): void => {};
    const waiting = new Promise<void>((resolve) => (goOn = resolve));
    let begun = 0;
    await work(kind, async (item) => {
      begun += 1;
      await waiting;
      return completed(item);
    });
    await expect.poll(() => begun, patient).toBe(3);
    await own.runs.stop(id, "cancelled");
    expect(await own.runs.get(id)).toMatchObject({ counts: { completed: 0, skipped: 7 } });
    goOn();
    await finished(id);
    expect(await own.runs.get(id)).toMatchObject({
      counts: { completed: 3, skipped: 7 },
      stopped: { reason: "cancelled" },
    });
  });

  it("wait when they are told to, without counting that as an attempt, and know their run", async () => {
    const kind = `kind-${kinds++}`;
    const { id } = await own.runs.create(kind, ["a"], { details: { of: "mine" } });
    let tries = 0;
    await work(kind, async (item, _, run) => {
      expect(run).toMatchObject({ id, details: { of: "mine" } });
      // More often than an item is tried.
      if (++tries <= 12) throw new NotYet(1);
      return completed(item);
    });
    await finished(id);
    expect(tries).toBe(13);
    expect(await outcomes(id)).toEqual([completed("a")]);
  });

  it("end when their time is up: workers skip what is left", async () => {
    const kind = `kind-${kinds++}`;
    const { id, createdAt } = await own.runs.create(kind, ["a", "b", "c", "d"], { window: 60_000 });
    let time = createdAt;
    let begun = 0;
    const perform: JobHandler["perform"] = async (item) => {
      begun += 1;
      // One by one: the worker takes three at once.
      await expect.poll(() => begun, patient).toBe(3);
      time = createdAt + 60_000;
      return completed(item);
    };
    await work(kind, perform, () => time);
    await finished(id);
    expect(await own.runs.get(id)).toMatchObject({
      counts: { completed: 3, failed: 0, skipped: 1 },
      stopped: { reason: "expired" },
    });
  });

  it("tell of some outcomes and of workers, and are forgotten when nobody wants them", async () => {
    const kind = `kind-${kinds++}`;
    const { id } = await own.runs.create(kind, ["a", "b", "c"]);
    expect(await own.runs.workers(kind)).toBe(0);
    await own.runs.record(id, 2, completed("c"));
    expect(await own.runs.outcomesOf(id, [0, 2])).toEqual(new Map([[2, completed("c")]]));
    await own.runs.remove(id);
    expect([await own.runs.get(id), await own.runs.list(kind)]).toEqual([undefined, []]);
    expect(await own.runs.record(id, 0, completed("a"))).toBe(false);
    expect(await own.redis.keys(`*${id}*`)).toEqual([]);
    await work(kind, async (item) => completed(item));
    await expect.poll(() => own.runs.workers(kind), patient).toBe(1);
  });

  it("may be empty", async () => {
    const { finishedAt, createdAt } = await own.runs.create(`kind-${kinds++}`, []);
    expect(finishedAt).toBe(createdAt);
  });
});
