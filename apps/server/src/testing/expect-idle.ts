import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { ScriptedServer } from "./scripted-server.ts";

/** For machines that are busy with other tests too. */
export const patient = { timeout: 20_000 };

/** Passes once the model has not moved for a while. */
export function expectIdle(server: ScriptedServer): Promise<void> {
  return expect
    .poll(async () => {
      const before = server.steps();
      await sleep(100);
      return server.steps() - before;
    }, patient)
    .toBe(0);
}
