import { selectBackend } from "@levin/kernels/node";
import OpenAI, { AuthenticationError, NotFoundError, RateLimitError } from "openai";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createKey, type KeyLimits } from "./api-key.ts";
import { KeyRing } from "./key-ring.ts";
import { UsageBook } from "./key-usage.ts";
import { ask, endless, model, startScriptedServer } from "../testing/scripted-server.ts";

beforeAll(() => selectBackend("cpu"));

const patient = { timeout: 20_000 };
const question = { model, messages: ask("hi"), max_tokens: 10, temperature: 0 };

/** A server with a key of these limits, and the official client with it. */
async function start(limits: KeyLimits = {}) {
  const { key, stored } = createKey("alice", limits);
  const usage = new UsageBook();
  const security = { keys: new KeyRing(undefined, [stored]), usage };
  const server = await startScriptedServer({ ...endless, shutdownGrace: 0, security });
  onTestFinished(() => server.close());
  const get = (path: string, shown: string) =>
    fetch(server.url + path, { headers: { authorization: shown } });
  return {
    ...server,
    key,
    used: () => usage.of(stored.id).total,
    openai: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 }),
    get: (path: string, shown = `Bearer ${key}`) => get(path, shown),
  };
}

describe("without a valid key", () => {
  it("the official client gets the error it knows", async () => {
    const { url } = await start();
    const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: "levin-guess", maxRetries: 0 });
    const refused = stranger.chat.completions.create(question);
    await expect(refused).rejects.toThrow(AuthenticationError);
    await expect(refused).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
  });

  it.each([
    "",
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    "levin-x",
    "Bearer a b",
    `Bearer ${"x".repeat(9000)}`,
  ])("%j opens nothing", async (shown) => {
    const { get, key } = await start();
    for (const path of ["/v1/models", "/v1/usage", "/nowhere", "/v1/chat/completions"]) {
      const reply = await get(path, shown);
      expect(reply.status).toBe(401);
      expect(reply.headers.get("www-authenticate")).toBe("Bearer");
    }
    expect((await get("/v1/models", `bearer ${key}`)).status).toBe(200);
  });

  it("page and health are there, the latter without the name of a model", async () => {
    const { get } = await start();
    expect(await (await get("/health", "")).json()).toEqual({ status: "ok", waiting: 0 });
    expect(await (await get("/ready", "")).json()).toEqual({ status: "ready" });
    expect((await get("/", "")).status).not.toBe(401);
  });
});

it("keeps responses from other keys: they can't be read, gone on from or deleted", async () => {
  const keys = ["alice", "bob"].map((name) => createKey(name, {}));
  const security = {
    keys: new KeyRing(
      undefined,
      keys.map(({ stored }) => stored),
    ),
  };
  const server = await startScriptedServer({ security });
  onTestFinished(() => server.close());
  const baseURL = `${server.url}/v1`;
  const [alice, bob] = keys.map(({ key }) => new OpenAI({ baseURL, apiKey: key, maxRetries: 0 }));
  const { id } = await alice!.responses.create({ model, input: "hi" });
  const next = { model, input: "go on", previous_response_id: id };
  await expect(bob!.responses.retrieve(id)).rejects.toThrow(NotFoundError);
  await expect(bob!.responses.create(next)).rejects.toThrow(NotFoundError);
  await expect(bob!.responses.delete(id)).rejects.toThrow(NotFoundError);
  expect(await alice!.responses.retrieve(id)).toMatchObject({ id });
  expect(await alice!.responses.create(next)).toMatchObject({ status: "completed" });
  const streamed = await alice!.responses.create({ ...next, stream: true });
  let last: string | undefined;
  for await (const event of streamed) if ("response" in event) last = event.response.id;
  expect(await alice!.responses.retrieve(last!)).toMatchObject({ id: last });
});

describe("usage", () => {
  it("is counted for answers at once and streamed, whether or not the client asked to see it", async () => {
    const { openai, used, get } = await start();
    const whole = await openai.chat.completions.create(question);
    expect(used()).toEqual({
      requests: 1,
      promptTokens: whole.usage!.prompt_tokens,
      completionTokens: 10,
    });
    const stream = await openai.chat.completions.create({ ...question, stream: true });
    for await (const _ of stream);
    await openai.completions.create({ model, prompt: "one", max_tokens: 5 });
    const reply = await get("/v1/usage");
    const prompts = used().promptTokens;
    expect(prompts).toBeGreaterThan(2 * whole.usage!.prompt_tokens);
    const counts = { prompt_tokens: prompts, completion_tokens: 25, total_tokens: prompts + 25 };
    expect(await reply.json()).toMatchObject({
      object: "usage",
      key: { name: "alice" },
      limits: { tokens_per_day: null },
      total: { requests: 4, ...counts },
      today: { ...counts, date: new Date().toISOString().slice(0, 10) },
    });
  });

  it("is counted for answers that were broken off", async () => {
    const { openai, used } = await start();
    const stream = await openai.chat.completions.create({
      ...question,
      max_tokens: 100_000,
      stream: true,
    });
    const chunks = stream[Symbol.asyncIterator]();
    for (let i = 0; i < 5; i++) await chunks.next();
    stream.controller.abort();
    await expect.poll(() => used().completionTokens, patient).toBeGreaterThan(3);
    expect(used().promptTokens).toBeGreaterThan(0);
  });

  it("is none of refused requests", async () => {
    const { openai, used } = await start();
    await expect(openai.chat.completions.create({ ...question, model: "x" })).rejects.toThrow(
      NotFoundError,
    );
    expect(used()).toEqual({ requests: 1, promptTokens: 0, completionTokens: 0 });
  });
});

describe("limits", () => {
  it("of requests are told in headers, and answered with 429 when they are reached", async () => {
    const { get } = await start({ requestsPerMinute: 2 });
    const first = await get("/v1/models");
    expect(Object.fromEntries(first.headers)).toMatchObject({
      "x-ratelimit-limit-requests": "2",
      "x-ratelimit-remaining-requests": "1",
      "x-ratelimit-reset-requests": expect.stringMatching(/^(30|29\.\d+)s$/),
    });
    expect(first.headers.get("x-ratelimit-limit-tokens")).toBeNull();
    await get("/v1/models");
    const third = await get("/v1/models");
    expect(third.status).toBe(429);
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(20);
    expect(await third.json()).toMatchObject({
      error: { type: "requests", code: "rate_limit_exceeded", message: /2 requests a minute/ },
    });
  });

  it("of tokens a minute let an answer finish, and the next one wait", async () => {
    const { openai, get } = await start({ tokensPerMinute: 30 });
    await openai.chat.completions.create({ ...question, max_tokens: 60 });
    const refused = openai.chat.completions.create(question);
    await expect(refused).rejects.toThrow(RateLimitError);
    await expect(refused).rejects.toMatchObject({ type: "tokens", code: "rate_limit_exceeded" });
    const reply = await get("/v1/models");
    expect(reply.headers.get("x-ratelimit-remaining-tokens")).toBe("0");
    // 60 tokens of an answer and its prompt are more than two minutes of 30.
    expect(reply.headers.get("x-ratelimit-reset-tokens")).toMatch(/^[23]m[\d.]+s$/);
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(60);
  });

  it("of tokens a day hold until midnight", async () => {
    const { openai } = await start({ tokensPerDay: 5 });
    await openai.chat.completions.create(question);
    await expect(openai.chat.completions.create(question)).rejects.toThrow(/5 tokens a day/);
  });

  it("of requests at once free their place when a client goes away", async () => {
    const { openai } = await start({ concurrentRequests: 1 });
    const long = { ...question, max_tokens: 100_000, stream: true } as const;
    const stream = await openai.chat.completions.create(long);
    await stream[Symbol.asyncIterator]().next();
    await expect(openai.chat.completions.create(question)).rejects.toThrow(/1 requests at once/);
    stream.controller.abort();
    const asked = async (): Promise<number> =>
      openai.chat.completions.create(question).then(
        ({ usage }) => usage!.completion_tokens,
        () => 0,
      );
    await expect.poll(asked, patient).toBe(10);
  });
});
