import { setInterval } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { KeyAccounts } from "../security/key-accounts.ts";
import type { KeyUse } from "./key-use.ts";

/** Milliseconds between two looks at what batches used. */
const pause = 500;

/** Counts what batches used against the keys that made them, and holds those of keys above a limit. */
export function chargeBatches(app: FastifyInstance, use: KeyUse, accounts: KeyAccounts): void {
  const closing = new AbortController();
  const settle = async (): Promise<void> => {
    for (const key of accounts.keys) {
      const counts = await use.take(key.id);
      if (counts) accounts.charge(key, counts);
      const wait = accounts.wait(key);
      // Long enough for the next look to renew it, when that is late.
      if (wait > 0) await use.hold(key.id, wait, 6 * pause);
    }
  };
  const run = async (): Promise<void> => {
    const { signal } = closing;
    for await (const _ of setInterval(pause, undefined, { signal, ref: false })) {
      // Redis that is gone has the numbers when it is back.
      await settle().catch((error: unknown) =>
        app.log.debug({ err: error }, "the use of batches was not counted; trying again"),
      );
    }
  };
  app.addHook("onReady", (done) => {
    run().catch(() => {});
    done();
  });
  app.addHook("preClose", (done) => {
    closing.abort();
    done();
  });
}
