import { execFile } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";
import { processesOf } from "./processes-of.ts";
import { levinArguments, repository, type Outcome } from "./run-levin.ts";

/** Runs a command line and kills so many of its processes as soon as they appear. */
export async function killing(count: number, args: readonly string[]): Promise<Outcome> {
  const ended: Outcome[] = [];
  const child = execFile(
    process.execPath,
    levinArguments(...args),
    { cwd: repository },
    (error, stdout, stderr) => {
      ended.push({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    },
  );
  const killed = new Set<number>();
  while (ended.length === 0) {
    const found = await processesOf(child.pid!);
    for (const id of found) {
      if (killed.size === count || killed.has(id)) continue;
      killed.add(id);
      process.kill(id, "SIGKILL");
    }
    await wait(10);
  }
  expect(killed.size).toBe(count);
  return ended[0]!;
}
