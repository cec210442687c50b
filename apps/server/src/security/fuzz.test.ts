import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "../index.ts";
import { check, checkReply, places } from "../testing/check-reply.ts";
import { withRoutes } from "../testing/noted-routes.ts";
import { mark, oddRequests, type Route } from "../testing/odd-requests.ts";
import { scriptedModel } from "../testing/scripted-model.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The same requests each time; another seed finds other things. */
const seed = Number(process.env["LEVIN_FUZZ_SEED"] ?? 6);

let app: FastifyInstance;
let page: string;
let logged = "";
let routes: Route[];

beforeAll(async () => {
  await selectBackend("cpu");
  page = mkdtempSync(join(tmpdir(), "levin-page-"));
  mkdirSync(join(page, "assets"));
  writeFileSync(join(page, "index.html"), "<p>page</p>");
  writeFileSync(join(page, "assets", "a.js"), "1");
  const make = () =>
    createServer({
      ...scriptedModel(() => "<think>\nOne.\n</think>\n\nThe sum is 3."),
      pageDirectory: page,
      bodyLimit: 64 * 1024,
      // Full soon, so that what it keeps is not taken for a leak.
      prefixCacheBytes: 2 ** 16,
      logger: pino({ level: "debug" }, { write: (line: string) => void (logged += line) }),
    });
  ({ app, routes } = withRoutes(make));
  await app.listen({ port: 0, host: "127.0.0.1" });
});
afterAll(async () => {
  await app?.close();
  rmSync(page, { recursive: true });
});

async function expectToAnswer(): Promise<void> {
  const messages = [{ role: "user", content: "hi" }];
  const payload = { model: "scripted", messages, temperature: 0 };
  const reply = await app.inject({ method: "POST", url: "/v1/chat/completions", payload });
  expect(reply.json()).toMatchObject({ choices: [{ message: { content: "The sum is 3." } }] });
}

describe("wrong requests", () => {
  /** @param count requests, drawn anew with each seed */
  const send = (count: number, ownSeed: number, statuses: Map<number, number>): Promise<void> =>
    fc.assert(
      fc.asyncProperty(oddRequests(routes), async (request) => {
        logged = "";
        const reply = await app.inject(request);
        checkReply(reply);
        for (const word of [...places, mark])
          check(!logged.includes(word), `no ${word}: ${logged}`);
        statuses.set(reply.statusCode, (statuses.get(reply.statusCode) ?? 0) + 1);
      }),
      { numRuns: count, seed: ownSeed },
    );

  it(
    "to all routes, ten thousand of them, get an answer that tells nothing, and leave nothing behind",
    { timeout: 240_000 },
    async () => {
      expect(routes.map(({ url }) => url)).toContain("/v1/chat/completions");
      const statuses = new Map<number, number>();
      await send(2000, seed, statuses);
      collectGarbage();
      const { heapUsed } = process.memoryUsage();
      const { numTensors } = tf.memory();
      await send(9500, seed + 1, statuses);
      collectGarbage();
      // A kilobyte of each request would be more; the responses that are kept have their own bound.
      expect(process.memoryUsage().heapUsed - heapUsed).toBeLessThan(9e6);
      expect(tf.memory().numTensors).toBeLessThanOrEqual(numTensors + 100);
      // Some are right after all; ten thousand are refused, for different reasons.
      expect([...statuses.keys()]).toEqual(
        expect.arrayContaining([200, 400, 403, 404, 405, 413, 414, 415]),
      );
      const refused = [...statuses].filter(([status]) => status >= 400);
      expect(refused.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(10_000);
      await expectToAnswer();
    },
  );

  it("that are no HTTP get an answer or are cut off", async () => {
    const { port } = app.server.address() as { port: number };
    const lines = fc.constantFrom(
      "GET / HTTP/1.1\r\n",
      "GET /v1/models HTTP/9.9\r\n",
      "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n",
      "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\n",
      "GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\n",
      "host: a\r\nhost: b\r\n",
    );
    const bytes = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(fc.array(lines, { maxLength: 3 }), bytes, async (heads, tail) => {
        const socket = connect(port, "127.0.0.1");
        let received = "";
        socket.on("data", (data) => (received += data.toString()));
        socket.on("error", () => {});
        await once(socket, "connect");
        const closed = new Promise((resolve) => void socket.once("close", resolve));
        socket.end(Buffer.concat([Buffer.from(heads.join("")), tail, Buffer.from("\r\n\r\n")]));
        await closed;
        expect(received).toMatch(/^$|^HTTP\/1.1 [234]\d\d /);
      }),
      { numRuns: 500, seed },
    );
    await expectToAnswer();
  });
});
