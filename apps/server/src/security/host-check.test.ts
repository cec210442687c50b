import { selectBackend } from "@levin/kernels/node";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "../index.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import type { SecuritySettings } from "./protect.ts";

let app: FastifyInstance;
beforeAll(() => selectBackend("cpu"));
afterEach(() => app.close());

function start(security: SecuritySettings = {}): void {
  app = createServer({ ...scriptedModel(() => "yes"), security });
}
const get = (headers: Record<string, string>) => app.inject({ url: "/v1/models", headers });

describe("the name by which a client reaches the server", () => {
  it.each([
    "localhost",
    "LocalHost:8420",
    "127.0.0.1:80",
    "[::1]:9000",
    "192.168.1.7",
    "[fe80::1]",
  ])("may be %s", async (host) => {
    start();
    expect((await get({ host })).statusCode).toBe(200);
  });

  it.each(["evil.example", "localhost.evil.example:8420", "127.0.0.1.evil.example", "a@b", "::"])(
    "may not be %j, which a page elsewhere could have pointed here",
    async (host) => {
      start();
      const reply = await get({ host });
      expect(reply.statusCode).toBe(403);
      expect(reply.json()).toMatchObject({ error: { code: "host_not_allowed" } });
    },
  );

  it("may be one that is allowed, or any", async () => {
    start({ hosts: ["Levin.example"] });
    expect((await get({ host: "levin.example:443" })).statusCode).toBe(200);
    expect((await get({ host: "other.example" })).statusCode).toBe(403);
    await app.close();
    start({ hosts: ["*"] });
    expect((await get({ host: "other.example" })).statusCode).toBe(200);
  });
});

describe("pages of other origins", () => {
  const origin = "https://chat.example";

  it("may not ask, and the page of the server may, behind TLS of a proxy too", async () => {
    start({ hosts: ["levin.example"] });
    for (const other of [origin, "null", "http://localhost:81", "nonsense"]) {
      const reply = await get({ host: "localhost:80", origin: other });
      expect(reply.statusCode).toBe(403);
      expect(reply.json()).toMatchObject({ error: { code: "origin_not_allowed" } });
    }
    for (const [host, own] of [
      ["localhost:8420", "http://localhost:8420"],
      ["levin.example", "https://levin.example"],
    ]) {
      expect((await get({ host: host!, origin: own! })).statusCode).toBe(200);
    }
  });

  it("may ask when allowed, and read the limits in the headers", async () => {
    start({ origins: [origin] });
    const preflight = await app.inject({
      method: "OPTIONS",
      url: "/v1/chat/completions",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe(origin);
    expect(preflight.headers["access-control-allow-headers"]).toBe("authorization,content-type");
    const reply = await get({ origin });
    expect(reply.statusCode).toBe(200);
    expect(reply.headers["access-control-allow-origin"]).toBe(origin);
    expect(reply.headers["access-control-expose-headers"]).toContain("x-ratelimit-limit-tokens");
    expect((await get({ origin: "https://other.example" })).statusCode).toBe(403);
  });

  it("may all ask with *", async () => {
    start({ origins: ["*"] });
    const reply = await get({ origin: "https://other.example" });
    expect(reply.statusCode).toBe(200);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
  });
});

it("every reply has security headers, failed ones too", async () => {
  start();
  for (const url of ["/", "/v1/models", "/nowhere"]) {
    const { headers } = await app.inject(url);
    expect(headers).toMatchObject({
      "content-security-policy": expect.stringMatching(
        /default-src 'none';script-src 'self' 'wasm-unsafe-eval';worker-src 'self' blob:/,
      ),
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    expect(headers).not.toHaveProperty("x-powered-by");
  }
});
