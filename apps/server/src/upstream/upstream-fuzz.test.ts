import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import fc from "fast-check";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createServer, Upstreams } from "../index.ts";
import { checkReply } from "../testing/check-reply.ts";
import { withRoutes } from "../testing/noted-routes.ts";
import { oddRequests, type Route } from "../testing/odd-requests.ts";
import {
  ask,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";

const seed = Number(process.env["LEVIN_FUZZ_SEED"] ?? 6);

let engine: ScriptedServer;
let app: FastifyInstance;
let routes: Route[];
let page: string;
beforeAll(async () => {
  await selectBackend("cpu");
  engine = await startScriptedServer({ script: () => "The sum is 3." });
  const upstreams = await Upstreams.start({ urls: [engine.url] });
  page = mkdtempSync(join(tmpdir(), "levin-page-"));
  writeFileSync(join(page, "index.html"), "<p>page</p>");
  const settings = { upstreams, bodyLimit: 64 * 1024, pageDirectory: page };
  ({ app, routes } = withRoutes(() => createServer(settings)));
});
afterAll(async () => {
  await app?.close();
  await engine?.close();
  rmSync(page, { recursive: true });
});

it(
  "answers a thousand odd requests before an engine, which stays in use",
  { timeout: 60_000 },
  async () => {
    expect(routes.map(({ url }) => url)).toContain("/v1/sessions");
    await fc.assert(
      fc.asyncProperty(oddRequests(routes), async (request) =>
        checkReply(await app.inject(request)),
      ),
      { numRuns: 1000, seed },
    );
    const payload = { model, messages: ask("hi"), temperature: 0 };
    const reply = await app.inject({ method: "POST", url: "/v1/chat/completions", payload });
    expect(reply.json()).toMatchObject({ choices: [{ message: { content: "The sum is 3." } }] });
  },
);
