import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { startServerProcess } from "../testing/server-process.ts";

const messages = [{ role: "user" as const, content: "What is 12 plus 30?" }];
const question = { model: "spark", messages, temperature: 0 };
/** Goes on for far longer than the test takes to kill it. */
const endless = { ...question, temperature: 2, max_tokens: 4000, stream: true as const };

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
    await expect.poll(() => statuses(url), { timeout: 20_000 }).toEqual(["unhealthy", "available"]);

    const { port } = new URL(first.url);
    const again = await startServerProcess("--port", port);
    await expect.poll(() => statuses(url), { timeout: 20_000 }).toEqual(["available", "available"]);
    await second.kill();
    expect((await ask()).choices[0]!.message.content).toBe("42");
    await again.kill();
  }, 180_000);
});
