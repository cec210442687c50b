import type { TestRedis } from "@levin/tooling/redis-server";
import { expect, onTestFinished } from "vitest";
import { startLevin, type RunningLevin } from "./run-levin.ts";

/** For polls of what other processes say. */
export const patient = { timeout: 60_000, interval: 50 };

/** A command line with a Redis; it ends with the test. */
export function startWithRedis({ url }: TestRedis, ...args: string[]): RunningLevin {
  const running = startLevin(...args, "--redis", url);
  onTestFinished(() => running.kill());
  return running;
}

/** A worker, once it is ready. */
export async function startWorker(redis: TestRedis, ...args: string[]): Promise<RunningLevin> {
  const worker = startWithRedis(redis, "worker", "--stall-seconds", "1", ...args);
  await expect.poll(worker.said, patient).toMatch(/ready/);
  return worker;
}
