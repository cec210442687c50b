import type { FastifyInstance } from "fastify";
import { limitConnections, type ConnectionLimits } from "./connection-limits.ts";
import { allowOrigins } from "./cross-origin.ts";
import { checkHosts } from "./host-check.ts";
import { KeyAccounts } from "./key-accounts.ts";
import { KeyLimiter } from "./key-limiter.ts";
import type { KeyRing } from "./key-ring.ts";
import { UsageBook } from "./key-usage.ts";
import { requireKey } from "./require-key.ts";
import { securityHeaders } from "./security-headers.ts";
import { usageRoute } from "./usage-route.ts";

export interface SecuritySettings {
  /** API keys; without, everyone may ask. */
  keys?: KeyRing | undefined;
  /** Where the use of keys is counted; default: in memory. */
  usage?: UsageBook | undefined;
  /** Names under which clients may reach the server, beside `localhost` and addresses; `*`: any. With keys any will do. */
  hosts?: readonly string[] | undefined;
  /** Origins of web pages elsewhere that may ask; `*`: any. */
  origins?: readonly string[] | undefined;
  connections?: ConnectionLimits | undefined;
}

/** Milliseconds between savings of what keys used: as much is lost when the process is killed. */
const flushInterval = 5000;

/**
 * Guards all routes of a server, those that come later too.
 * @returns what keys may use, if there are any
 */
export function protect(
  app: FastifyInstance,
  { keys, usage = new UsageBook(), hosts, origins = [], connections = {} }: SecuritySettings,
  stallTimeout: number,
): KeyAccounts | undefined {
  limitConnections(app, connections, stallTimeout);
  securityHeaders(app);
  // A page that was rebound to this server has no key.
  checkHosts(app, { hosts: keys?.isLocked ? ["*"] : hosts, origins });
  allowOrigins(app, origins);
  app.decorateRequest("apiKey", null);
  usageRoute(app, usage);
  if (keys === undefined) return undefined;
  const limiter = new KeyLimiter(usage);
  // After CORS, whose preflights carry no key.
  app.after(() => requireKey(app, keys, limiter));
  saveUsage(app, usage);
  return new KeyAccounts(keys, limiter);
}

function saveUsage(app: FastifyInstance, usage: UsageBook): void {
  const save = (): void => {
    try {
      usage.flush();
    } catch (error) {
      app.log.error({ err: error }, "the use of API keys was not saved; trying again");
    }
  };
  const timer = setInterval(save, flushInterval);
  timer.unref();
  app.addHook("onClose", (_, done) => {
    clearInterval(timer);
    save();
    done();
  });
}
