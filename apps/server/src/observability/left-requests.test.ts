import { selectBackend } from "@levin/kernels/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { patient } from "../testing/expect-idle.ts";
import {
  ask,
  endless,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";

let server: ScriptedServer;
beforeAll(async () => {
  await selectBackend("cpu");
  server = await startScriptedServer({ ...endless, shutdownGrace: 0 });
});
afterAll(() => server?.close());

const question = { model, messages: ask("hi"), max_tokens: 100_000 };

/** How many requests for answers ended with a status, as the histogram of requests says. */
async function ended(status: number): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const labels = `method="POST",route="/v1/chat/completions",status="${status}"`;
  const name = `levin_http_request_duration_seconds_count{${labels}} `;
  const line = text.split("\n").find((one) => one.startsWith(name));
  return Number(line?.slice(name.length) ?? 0);
}

it("counts a stream that its client left", async () => {
  const stream = await server.openai.chat.completions.create({ ...question, stream: true });
  stream.controller.abort();
  await expect.poll(() => ended(200), patient).toBe(1);
});

it("counts a request that its client left before the reply began", async () => {
  const client = new AbortController();
  const { signal } = client;
  const steps = server.steps();
  const answer = server.openai.chat.completions.create(question, { signal }).catch(() => {});
  await expect.poll(() => server.steps(), patient).toBeGreaterThan(steps + 2);
  client.abort();
  await answer;
  await expect.poll(() => ended(499), patient).toBe(1);
});
