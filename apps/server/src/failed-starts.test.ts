import { redisServerPath, startRedis, type TestRedis } from "@levin/tooling/redis-server";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openRedis } from "./jobs/redis-connection.ts";
import { startWorker } from "./jobs/start-worker.ts";
import { DatabaseError } from "./sessions/database.ts";
import { startServer } from "./start-server.ts";
import { startSmallEngine } from "./testing/small-engine.ts";

const patient = { timeout: 30_000 };

// An open connection would keep the process alive that is to end with an error.
describe.skipIf(!redisServerPath())("what can't start leaves no connection to Redis open", () => {
  let server: TestRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedis();
    redis = await openRedis(server.url);
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  const others = async (): Promise<number> =>
    String(await redis.client("LIST"))
      .trim()
      .split("\n").length - 1;

  it("a server without a place for sessions", async () => {
    const started = startServer({ port: 0, redis: server.url, data: "/dev/null/sessions" });
    await expect(started).rejects.toThrow(DatabaseError);
    await expect.poll(others, patient).toBe(0);
  });

  it("a server without a model", async () => {
    const started = startServer({ port: 0, redis: server.url, model: "/dev/null/model" });
    await expect(started).rejects.toThrow("/dev/null/model");
    await expect.poll(others, patient).toBe(0);
  });

  it("a worker that can't do all kinds of work", async () => {
    const engine = await startSmallEngine((response) => response.end());
    onTestFinished(() => engine.close());
    const handler = { perform: () => Promise.reject(new Error("never")), abandoned: () => "" };
    const wrong = { kind: "no:name", handler, close: () => Promise.resolve() };
    const started = startWorker({ redis: server.url, upstreams: [engine.url], others: [wrong] });
    await expect(started).rejects.toThrow("Queue name");
    await expect.poll(others, patient).toBe(0);
  });
});
