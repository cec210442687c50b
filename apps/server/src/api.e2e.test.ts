import type { FastifyInstance } from "fastify";
import OpenAI, { BadRequestError, NotFoundError, type APIError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer, loadServedModel } from "./index.ts";

type Reasoned = { reasoning_content?: string };

describe("the API, asked by the official openai client", () => {
  let app: FastifyInstance;
  let address: string;
  let client: OpenAI;

  beforeAll(async () => {
    app = createServer(await loadServedModel());
    address = await app.listen({ port: 0, host: "127.0.0.1" });
    client = new OpenAI({ baseURL: `${address}/v1`, apiKey: "none", maxRetries: 0 });
  });
  afterAll(() => app.close());

  const question = [{ role: "user" as const, content: "What is 12 plus 30?" }];
  const settings = { model: "spark", messages: question, temperature: 0 };

  it("answers, with the thought apart and its tokens counted", async () => {
    const { choices, usage, model } = await client.chat.completions.create(settings);
    const [choice] = choices;
    expect(model).toBe("spark");
    expect(choice!.message.content).toMatch(/^\S/);
    expect(choice!.message.content).not.toContain("think>");
    expect((choice!.message as Reasoned).reasoning_content).toMatch(/\S/);
    expect(choice!.finish_reason).toBe("stop");
    const reasoning = usage!.completion_tokens_details!.reasoning_tokens!;
    expect(reasoning).toBeGreaterThan(0);
    expect(usage!.completion_tokens).toBeGreaterThan(reasoning);
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens);
  });

  it("streams the same answer and thought in pieces, then the usage", async () => {
    const whole = await client.chat.completions.create(settings);
    const stream = await client.chat.completions.create({
      ...settings,
      stream: true,
      stream_options: { include_usage: true },
    });
    let [content, thought, pieces, total] = ["", "", 0, 0];
    for await (const chunk of stream) {
      const delta = chunk.choices[0]?.delta as (Reasoned & { content?: string }) | undefined;
      content += delta?.content ?? "";
      thought += delta?.reasoning_content ?? "";
      total = chunk.usage?.total_tokens ?? total;
      pieces += 1;
    }
    expect(pieces).toBeGreaterThan(5);
    expect(content).toBe(whole.choices[0]!.message.content);
    expect(thought.trim()).toBe((whole.choices[0]!.message as Reasoned).reasoning_content);
    expect(total).toBe(whole.usage!.total_tokens);
  });

  it("keeps to stop strings, seeds, token limits and thinking budgets", async () => {
    const free = await client.chat.completions.create({ ...settings, seed: 3, temperature: 1.5 });
    const again = await client.chat.completions.create({ ...settings, seed: 3, temperature: 1.5 });
    expect(again.choices[0]!.message).toEqual(free.choices[0]!.message);
    const cut = await client.chat.completions.create({ ...settings, max_tokens: 5 });
    expect(cut.choices[0]!.finish_reason).toBe("length");
    expect(cut.usage!.completion_tokens).toBe(5);
    const budget = { ...settings, thinking_budget: 7 };
    const brief = await client.chat.completions.create(budget);
    expect(brief.usage!.completion_tokens_details!.reasoning_tokens).toBe(7);
    const text = await client.completions.create({
      model: "spark",
      prompt: "12+30: 2+0+0=2 carry 0: 2\n1+3: ",
      max_tokens: 30,
      temperature: 0,
      stop: "=",
    });
    expect(text.choices[0]!.text).not.toContain("=");
    expect(text.choices[0]!.finish_reason).toBe("stop");
  });

  it("gives log-probabilities of the answer's tokens", async () => {
    const { choices } = await client.chat.completions.create({
      ...settings,
      logprobs: true,
      top_logprobs: 3,
    });
    const tokens = choices[0]!.logprobs!.content!;
    expect(tokens.length).toBeGreaterThan(0);
    for (const { logprob, top_logprobs } of tokens) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(top_logprobs).toHaveLength(3);
      expect(top_logprobs[0]!.logprob).toBeCloseTo(logprob, 6);
    }
  });

  it("lists its model", async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(["spark"]);
  });

  it("stops when the client goes away, and answers the next one", async () => {
    const stream = await client.chat.completions.create({ ...settings, stream: true });
    for await (const _ of stream) break;
    const started = performance.now();
    await client.chat.completions.create({ ...settings, max_tokens: 1 });
    expect(performance.now() - started).toBeLessThan(10_000);
    const health = (await (await fetch(`${address}/health`)).json()) as { status: string };
    expect(health.status).toBe("ok");
  });

  it.each([
    ["no messages", { messages: [] }, BadRequestError, /messages/],
    ["a wrong type", { temperature: "hot" }, BadRequestError, /temperature/],
    ["a temperature out of range", { temperature: 9 }, BadRequestError, /temperature/],
    ["two choices", { n: 2 }, BadRequestError, /n/],
    ["another model", { model: "gpt-x" }, NotFoundError, /gpt-x/],
    [
      "a prompt beyond the context",
      { messages: [{ role: "user", content: "word ".repeat(70_000) }] },
      BadRequestError,
      /context/,
    ],
  ])("refuses %s in OpenAI's form", async (_, change, type, message) => {
    const request = { ...settings, ...change } as typeof settings;
    const error = await client.chat.completions.create(request).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(type);
    expect((error as APIError).message).toMatch(message);
    expect((error as APIError).type).toBe("invalid_request_error");
  });

  it.each([
    ["malformed JSON", "{nope", 400],
    ["10 MB of JSON", JSON.stringify({ model: "spark", prompt: "x".repeat(10_000_000) }), 413],
    ["a list", "[]", 400],
    ["null", "null", 400],
  ])("answers %s with a typed error", async (_, body, status) => {
    const headers = { "content-type": "application/json" };
    const url = `${address}/v1/chat/completions`;
    const response = await fetch(url, { method: "POST", headers, body });
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: { message: string; type: string } };
    expect(error.type).toBe("invalid_request_error");
    expect(error.message).toMatch(/\S/);
  });

  it("knows no other routes or methods", async () => {
    for (const [path, method] of [
      ["/v1/nothing", "GET"],
      ["/v1/chat/completions", "DELETE"],
    ]) {
      const response = await fetch(address + path, { method: method! });
      expect([404, 405]).toContain(response.status);
      expect(await response.json()).toHaveProperty("error.type", "invalid_request_error");
    }
  });
});
