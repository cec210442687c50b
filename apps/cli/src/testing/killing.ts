import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";
import { processesOf } from "./processes-of.ts";
import { startLevin, type Outcome } from "./run-levin.ts";

/** Runs a command line and kills so many of its processes as soon as they appear. */
export async function killing(count: number, args: readonly string[]): Promise<Outcome> {
  const { pid, ended } = startLevin(...args);
  const outcomes: Outcome[] = [];
  void ended.then((outcome) => outcomes.push(outcome));
  const killed = new Set<number>();
  while (outcomes.length === 0 && killed.size < count) {
    for (const id of await processesOf(pid)) {
      if (killed.size === count || killed.has(id)) continue;
      killed.add(id);
      process.kill(id, "SIGKILL");
    }
    await wait(10);
  }
  expect(killed.size).toBe(count);
  return ended;
}
