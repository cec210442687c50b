import { isIP } from "node:net";
import type { FastifyInstance } from "fastify";
import { ApiError } from "../api/api-error.ts";

export interface HostCheckOptions {
  /** Names under which clients may reach the server, beside `localhost` and addresses; `*`: any. */
  hosts?: readonly string[] | undefined;
  /** Origins of web pages elsewhere that may ask, such as `https://chat.example.org`; `*`: any. */
  origins?: readonly string[] | undefined;
}

/**
 * Refuses requests that a web page from elsewhere made in a visitor's browser: those to a name
 * that was pointed at this server's address (DNS rebinding), told by `Host`, and those across
 * origins, told by `Origin`.
 */
export function checkHosts(app: FastifyInstance, options: HostCheckOptions = {}): void {
  const hosts = new Set(options.hosts?.map((host) => host.toLowerCase()));
  const origins = new Set(options.origins);
  app.addHook("onRequest", async ({ headers }) => {
    const host = headers.host ?? "";
    if (!hosts.has("*") && !isKnown(hostname(host), hosts)) {
      throw new ApiError(403, "this server is not reached by the name in the Host header", {
        code: "host_not_allowed",
      });
    }
    const { origin } = headers;
    if (origin === undefined || origins.has("*") || origins.has(origin)) return;
    if (host === "" || originHost(origin) !== host.toLowerCase()) {
      throw new ApiError(403, "pages of this origin may not use the server", {
        code: "origin_not_allowed",
      });
    }
  });
}

/** A rebound name is never an address: whoever asks by address means this server. */
function isKnown(name: string, hosts: ReadonlySet<string>): boolean {
  return name === "localhost" || isIP(name) !== 0 || hosts.has(name);
}

/** `[::1]:8420` as `::1`, `Levin.example:80` as `levin.example`. */
function hostname(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1");
}

function originHost(origin: string): string | undefined {
  // Behind a proxy that ends TLS the scheme differs, so only the host is compared.
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
