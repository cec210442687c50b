import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { startServerProcess } from "../testing/server-process.ts";
import { SessionClient } from "../testing/session-client.ts";

const messages = [{ role: "user" as const, content: "What is 12 plus 30?" }];
const question = { model: "spark", messages, temperature: 0 };
/** Without an end mark it goes on for far longer than the test takes to kill it. */
const limits = { max_tokens: 20_000, logit_bias: { 509: -100 }, stream: true as const };
const endless = { ...question, ...limits };

const statuses = async (url: string): Promise<string[]> => {
  const health = (await (await fetch(`${url}/health`)).json()) as {
    upstreams: { status: string }[];
  };
  return health.upstreams.map(({ status }) => status);
};

describe("two Levin servers behind a third, each a process", () => {
  it("lose one by kill -9 without an error to new requests, and take it back", async () => {
    const [first, second] = await Promise.all([
      startServerProcess("--port", "0"),
      startServerProcess("--port", "0"),
    ]);
    const { url } = await startServerProcess(
      "--port",
      "0",
      "--upstream",
      `${first.url},${second.url}/v1`,
    );
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
    const ask = () => openai.chat.completions.create(question);
    const streams = await Promise.all([0, 1].map(() => openai.chat.completions.create(endless)));
    const chunks = streams.map((stream) => stream[Symbol.asyncIterator]());
    await Promise.all(chunks.map((stream) => stream.next()));

    // One stream runs on each: the first one's breaks off, the other goes on.
    await first.kill();
    const ends = chunks.map(async (stream) => {
      try {
        for (let i = 0; i < 50; i++) await stream.next();
        return "goes on";
      } catch (error) {
        return (error as { code?: string }).code;
      }
    });
    expect(new Set(await Promise.all(ends))).toEqual(new Set(["goes on", "upstream_unreachable"]));
    for (const stream of streams) stream.controller.abort();

    const answers = await Promise.all(Array.from({ length: 6 }, ask));
    for (const { choices } of answers) expect(choices[0]!.message.content).toBe("42");
    await expect.poll(() => statuses(url), { timeout: 60_000 }).toEqual(["unhealthy", "available"]);

    const { port } = new URL(first.url);
    const again = await startServerProcess("--port", port);
    await expect.poll(() => statuses(url), { timeout: 60_000 }).toEqual(["available", "available"]);
    await second.kill();
    expect((await ask()).choices[0]!.message.content).toBe("42");
    await again.kill();
  }, 180_000);
});

describe("a server with sessions before spark, each a process", () => {
  it("goes on with session and response after kill -9 in the midst of a turn", async () => {
    const data = mkdtempSync(join(tmpdir(), "levin-upstream-"));
    onTestFinished(() => rmSync(data, { recursive: true }));
    const engine = await startServerProcess("--port", "0");
    const flags = ["--port", "0", "--upstream", engine.url, "--data", data];
    const before = await startServerProcess(...flags);
    const client = new SessionClient(before.url, "spark");
    const { id } = await client.create();
    const first = await client.ask(id, "What is 12 plus 30?");
    expect(first.choices[0]!.message.content).toBe("42");
    const openai = new OpenAI({ baseURL: `${before.url}/v1`, apiKey: "none", maxRetries: 0 });
    const asked = { model: "spark", input: "What is 5 plus 9?", temperature: 0 };
    const response = await openai.responses.create(asked);
    const running = await fetch(`${before.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...client.turn(id, "Go on."), ...limits }),
    });
    await running.body!.getReader().read();
    await before.kill();

    const after = await startServerProcess(...flags);
    const again = new SessionClient(after.url, "spark");
    expect((await again.get(id)).message_count).toBe(2);
    const next = await again.ask(id, "What is 40 plus 2?");
    expect(next.choices[0]!.message.content).not.toBe("");
    expect((await again.get(id)).messages[2]!.content).toBe("What is 40 plus 2?");
    const later = new OpenAI({ baseURL: `${after.url}/v1`, apiKey: "none", maxRetries: 0 });
    const follow = { ...asked, input: "And 6 plus 9?", previous_response_id: response.id };
    expect((await later.responses.create(follow)).previous_response_id).toBe(response.id);
    const { data: items } = await later.responses.inputItems.list(response.id);
    expect(items).toHaveLength(1);
  }, 180_000);
});
