import { once } from "node:events";
import { connect } from "node:net";
import { selectBackend } from "@levin/kernels/node";
import type OpenAI from "openai";
import { RateLimitError } from "openai";
import { pino } from "pino";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { expectIdle, patient } from "./testing/expect-idle.ts";
import {
  ask,
  endless,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "./testing/scripted-server.ts";

beforeAll(() => selectBackend("cpu"));

const long = { model, messages: ask("go"), temperature: 0 };

/** One answer at a time, unless a test says otherwise. */
async function start(
  options: Parameters<typeof startScriptedServer>[0] = {},
): Promise<ScriptedServer> {
  const server = await startScriptedServer({
    ...endless,
    shutdownGrace: 0,
    maxBatch: 1,
    ...options,
  });
  onTestFinished(() => server.close());
  return server;
}

type Chunks = AsyncIterator<OpenAI.ChatCompletionChunk>;

/** Fills the buffers of a connection sooner. */
const verbose = { logprobs: true, top_logprobs: 20 };

/** Starts a streamed answer and waits for its first pieces. */
async function startStream({ openai }: ScriptedServer, signal?: AbortSignal): Promise<Chunks> {
  const stream = await openai.chat.completions.create(
    { ...long, ...verbose, stream: true },
    { signal },
  );
  const chunks = stream[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) await chunks.next();
  return chunks;
}

const asError = (error: unknown): unknown => error;

describe("when the client goes away", () => {
  it("a streamed answer stops", async () => {
    const server = await start();
    const client = new AbortController();
    await startStream(server, client.signal);
    client.abort();
    await expectIdle(server);
  });

  it("an answer that is not streamed stops too", async () => {
    const server = await start();
    const client = new AbortController();
    const { signal } = client;
    const answer = server.openai.chat.completions.create(long, { signal }).catch(asError);
    await expect.poll(server.steps, patient).toBeGreaterThan(2);
    client.abort();
    await answer;
    await expectIdle(server);
  });

  it("its place in the queue is free, and nothing is logged as a failure", async () => {
    let logged = "";
    const sink = { write: (line: string) => void (logged += line) };
    const server = await start({ logger: pino({ level: "warn" }, sink) });
    const [first, second, third] = [0, 1, 2].map(() => new AbortController());
    await startStream(server, first!.signal);
    const waiting = [
      startStream(server, second!.signal).catch(asError),
      server.openai.chat.completions.create(long, { signal: third!.signal }).catch(asError),
    ];
    await expect.poll(server.waiting, patient).toBe(2);
    second!.abort();
    third!.abort();
    await Promise.all(waiting);
    await expect.poll(server.waiting, patient).toBe(0);
    first!.abort();
    const next = await server.openai.chat.completions.create({ ...long, max_tokens: 2 });
    expect(next.usage!.completion_tokens).toBe(2);
    expect(logged).toBe("");
  });

  it("before its request is read, nothing is generated", async () => {
    const server = await start();
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    await once(socket, "connect");
    const body = JSON.stringify(long);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json`;
    socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    socket.destroy();
    await expectIdle(server);
  });
});

describe("a client that stops reading its stream", () => {
  it("is cut off, so that the next one gets its turn", async () => {
    const server = await start({ stallTimeout: 200 });
    const chunks = await startStream(server);
    const next = await server.openai.chat.completions.create({ ...long, max_tokens: 2 });
    expect(next.usage!.completion_tokens).toBe(2);
    const rest = async (): Promise<void> => {
      for await (const _ of { [Symbol.asyncIterator]: () => chunks });
    };
    await expect(rest()).rejects.toThrow(/terminated|aborted|closed/);
  });

  it("does not keep the server from closing", async () => {
    const server = await start();
    await startStream(server);
    await expectIdle(server);
    await server.close();
  });
});

describe("under load", () => {
  it("refuses with 429 when too many wait, and says when to come again", async () => {
    const server = await start({ queueCapacity: 0 });
    await startStream(server);
    for (const stream of [true, false]) {
      const refused = server.openai.chat.completions.create({ ...long, stream }).catch(asError);
      const error = (await refused) as RateLimitError;
      expect(error).toBeInstanceOf(RateLimitError);
      expect(error).toMatchObject({ code: "overloaded", type: "rate_limit_error" });
      expect(Number(error.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    }
  });

  it("refuses prompts beyond the tokens that may wait, but not one that waits alone", async () => {
    const server = await start({ queueTokens: 10 });
    const first = new AbortController();
    await startStream(server, first.signal);
    const ask100 = { ...long, messages: ask("word ".repeat(100)), max_tokens: 2 };
    const waiting = server.openai.chat.completions.create(ask100);
    await expect.poll(server.waiting, patient).toBe(1);
    await expect(server.openai.chat.completions.create(ask100)).rejects.toThrow(RateLimitError);
    first.abort();
    expect((await waiting).usage!.completion_tokens).toBe(2);
  });

  it("moves the answers of several clients on in one step", async () => {
    const server = await start({ maxBatch: 4 });
    const answers = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) =>
        server.openai.chat.completions.create({ ...long, messages: ask(`${n}`), max_tokens: 60 }),
      ),
    );
    expect(answers.map(({ usage }) => usage!.completion_tokens)).toEqual(Array(6).fill(60));
    // Four at once, then two: one by one they would take 360 steps.
    expect(server.steps()).toBeLessThan(180);
  });

  it("goes on for others while one client reads nothing", async () => {
    const server = await start({ maxBatch: 2 });
    const chunks = await startStream(server);
    await expectIdle(server);
    for (let i = 0; i < 3; i++) {
      const next = await server.openai.chat.completions.create({ ...long, max_tokens: 20 });
      expect(next.usage!.completion_tokens).toBe(20);
    }
    expect((await chunks.next()).done).toBe(false);
  });

  it("answers other routes while it generates", async () => {
    const server = await start();
    await startStream(server);
    const { data } = await server.openai.models.list();
    expect(data).toHaveLength(1);
  });
});

describe("when time is up", () => {
  it("an answer ends with what is there, and says so", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const chunks = await startStream(await start({ requestTimeout: 10_000 }));
    vi.advanceTimersByTime(10_000);
    let last: unknown;
    for await (const { choices } of { [Symbol.asyncIterator]: () => chunks }) last = choices[0];
    expect(last).toMatchObject({ finish_reason: "length", stop_reason: "timeout" });
  });

  it("a request without a token gets a 504", async () => {
    const slow = () => {
      for (const begun = performance.now(); performance.now() - begun < 50;);
      return "one two";
    };
    const server = await start({ requestTimeout: 10, script: slow });
    // Read in several pieces, of which the first one takes too long.
    const messages = ask("word ".repeat(1000));
    await expect(
      server.openai.chat.completions.create({ ...long, messages }),
    ).rejects.toMatchObject({ status: 504, code: "timeout" });
  });
});

describe("when it closes", () => {
  it("is not ready at once, and refuses new answers while running ones finish", async () => {
    const server = await start({ shutdownGrace: 20_000 });
    const ready = async () => (await fetch(`${server.url}/ready`)).status;
    expect(await ready()).toBe(200);
    const running = new AbortController();
    await startStream(server, running.signal);
    const closed = server.close();
    expect(await ready()).toBe(503);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    await expect(server.openai.chat.completions.create(long)).rejects.toMatchObject({
      status: 503,
      code: "shutting_down",
    });
    running.abort();
    await closed;
  });

  it("ends running and waiting answers after the grace, saying why", async () => {
    const server = await start({ shutdownGrace: 50 });
    const chunks = await startStream(server);
    const waiting = server.openai.chat.completions.create(long).catch(asError);
    await expect.poll(server.waiting, patient).toBe(1);
    const closed = server.close();
    const rest = async (): Promise<void> => {
      for await (const _ of { [Symbol.asyncIterator]: () => chunks });
    };
    await expect(rest()).rejects.toMatchObject({ code: "shutting_down" });
    expect(await waiting).toMatchObject({ status: 503, code: "shutting_down" });
    await closed;
  });

  it("lets an answer finish that needs less than the grace", async () => {
    const server = await start({ shutdownGrace: 10_000 });
    const answer = server.openai.chat.completions.create({ ...long, max_tokens: 50 });
    await expect.poll(server.steps, patient).toBeGreaterThan(2);
    await server.close();
    expect((await answer).usage!.completion_tokens).toBe(50);
  });
});
