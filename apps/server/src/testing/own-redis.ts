import { startRedis, type TestRedis } from "@levin/tooling/redis-server";
import type { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { JobRuns } from "../jobs/job-runs.ts";
import { openRedis } from "../jobs/redis-connection.ts";

/** A Redis of a test file's own, from its first test to its last. */
export interface OwnRedis {
  url: string;
  redis: Redis;
  runs: JobRuns;
}

/** To be called where tests are described; what it gives is filled before the first of them. */
export function ownRedis(): OwnRedis {
  const own = {} as OwnRedis;
  let server: TestRedis | undefined;
  beforeAll(async () => {
    server = await startRedis();
    own.url = server.url;
    own.redis = await openRedis(server.url);
    own.runs = new JobRuns(own.redis);
  });
  afterAll(async () => {
    await own.runs?.close();
    own.redis?.disconnect();
    await server?.stop();
  });
  return own;
}
