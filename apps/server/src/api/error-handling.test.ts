import { selectBackend } from "@levin/kernels/node";
import { StageError } from "@levin/model/node";
import { APIError, BadRequestError, NotFoundError } from "openai";
import type OpenAI from "openai";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  ask,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";

function script(conversation: string): string {
  if (conversation.includes("crash")) throw new Error("told to crash: secret words");
  if (conversation.includes("lose a stage")) {
    throw new StageError("stage 2 of 3 (layers 4 to 7): told to end");
  }
  return "The sum is 3.";
}

let server: ScriptedServer;
let openai: OpenAI;
let logged = "";

beforeAll(async () => {
  await selectBackend("cpu");
  const sink = { write: (line: string) => void (logged += line) };
  server = await startScriptedServer({ script, logger: pino({ level: "debug" }, sink) });
  ({ openai } = server);
});
afterAll(() => server?.close());
afterEach(async () => {
  // Whatever a test did, the process is alive and nobody waits.
  if ((await server.waiting()) !== 0) throw new Error("expected nobody to wait");
});

const post = (path: string, body: unknown) => server.post(path, body);
const chat = (body: object) =>
  post("/v1/chat/completions", { model, messages: ask("hi"), ...body });

describe("bad requests get an error in OpenAI's form", () => {
  it("reaches the openai client as its own error classes", async () => {
    const unknown = openai.chat.completions.create({ model: "gpt-9", messages: ask("hi") });
    await expect(unknown).rejects.toThrow(NotFoundError);
    await expect(unknown).rejects.toMatchObject({ code: "model_not_found", param: "model" });
    const empty = openai.chat.completions.create({ model, messages: [] });
    await expect(empty).rejects.toThrow(BadRequestError);
  });

  it.each<[string, object, string | null, string | null]>([
    ["no messages", { messages: [] }, "messages", null],
    ["messages of a wrong type", { messages: "hi" }, "messages", null],
    ["an empty question", { messages: ask(" ") }, "messages[0].content", null],
    ["an unknown role", { messages: [{ role: "cat", content: "hi" }] }, "messages[0].role", null],
    [
      "content of a wrong type",
      { messages: [{ role: "user", content: 7 }] },
      "messages[0].content",
      null,
    ],
    [
      "a picture",
      { messages: [{ role: "user", content: [{ type: "image_url" }] }] },
      "messages[0].content[0].type",
      null,
    ],
    ["no model", { model: undefined }, "model", null],
    ["a temperature as text", { temperature: "hot" }, "temperature", null],
    ["a temperature below 0", { temperature: -1 }, "temperature", null],
    ["top_p of 0", { top_p: 0 }, "top_p", null],
    ["max_tokens of 0", { max_tokens: 0 }, "max_tokens", null],
    ["a broken seed", { seed: 0.5 }, "seed", null],
    ["an empty stop", { stop: [""] }, "stop[0]", null],
    ["no answers", { n: 0 }, "n", null],
    ["very many answers", { n: 1000 }, "n", null],
    ["a negative budget", { thinking_budget: -1 }, "thinking_budget", null],
    ["an unknown effort", { reasoning_effort: "heroic" }, "reasoning_effort", null],
    ["top_logprobs without logprobs", { top_logprobs: 2 }, "top_logprobs", null],
    ["too many top_logprobs", { logprobs: true, top_logprobs: 21 }, "top_logprobs", null],
    ["stream_options without stream", { stream_options: {} }, "stream_options", null],
    ["tools of other types", { tools: [{ type: "web_search" }] }, "tools[0].type", null],
    [
      "a schema that cannot be kept",
      { response_format: { type: "json_schema", json_schema: { schema: { not: {} } } } },
      "response_format",
      "invalid_schema",
    ],
    ["a misspelt parameter", { temprature: 1 }, "temprature", "unknown_parameter"],
    [
      "a prompt beyond the context",
      { messages: ask("word ".repeat(900)) },
      "messages",
      "context_length_exceeded",
    ],
    [
      "a prompt far beyond it",
      { messages: ask("word ".repeat(99_000)) },
      "messages",
      "context_length_exceeded",
    ],
  ])("for %s", async (_, body, param, code) => {
    const { status, error } = await chat(body);
    expect({ status, error }).toMatchObject({
      status: 400,
      error: { type: "invalid_request_error", param, code, message: expect.stringMatching(/\S/) },
    });
  });

  it.each([
    {},
    { prompt: "" },
    { prompt: [] },
    { prompt: ["a", ""] },
    { prompt: [99_999] },
    { prompt: "x", suffix: "y" },
  ])("for the text completion %j", async (body) => {
    const { status, error } = await post("/v1/completions", { model, ...body });
    expect(status).toBe(400);
    expect(error).toMatchObject({ type: "invalid_request_error" });
  });

  it.each(["", "{", "null", "[]", "7", '"hi"', '{"model":'])("for the body %j", async (body) => {
    const { status, error } = await post("/v1/chat/completions", body);
    expect(status).toBe(400);
    expect(error).toMatchObject({ type: "invalid_request_error", message: expect.any(String) });
  });

  it.each([
    ["/v1/chat/completions", '"messages"', "0"],
    ["/v1/completions", '"prompt"', '"a"'],
    ["/v1/completions", '"prompt"', "-1"],
  ])("for millions of wrong items, soon: %s with %s of %s", async (path, key, item) => {
    const items = Array.from({ length: 1_500_000 }, () => item).join();
    const before = process.cpuUsage();
    const { status, error } = await post(path, `{"model":"${model}",${key}:[${items}]}`);
    const { user, system } = process.cpuUsage(before);
    expect(status).toBe(400);
    expect(error).toMatchObject({ type: "invalid_request_error" });
    // In processor time, which other work on the machine takes none of: 0.1 s, but seconds and
    // gigabytes if each item were reported.
    expect((user + system) / 1e6).toBeLessThan(1);
  });

  it("for 10 MB of JSON, other media types, unknown routes, wrong methods and malformed URLs", async () => {
    expect(await chat({ messages: ask("x".repeat(10_000_000)) })).toMatchObject({
      status: 413,
      error: { code: "request_too_large" },
    });
    const form = await fetch(`${server.url}/v1/chat/completions`, { method: "POST", body: "a=b" });
    expect(form.status).toBe(415);
    expect(await form.json()).toMatchObject({ error: { code: "unsupported_media_type" } });
    expect(await post("/v1/moderations", {})).toMatchObject({
      status: 404,
      error: { type: "invalid_request_error", code: "unknown_url" },
    });
    const wrong = await fetch(`${server.url}/v1/chat/completions`);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get("allow")).toBe("POST");
    expect(await wrong.json()).toMatchObject({ error: { code: "method_not_allowed" } });
    const malformed = await fetch(`${server.url}/v1/models/%zz`);
    expect(malformed.status).toBe(400);
    expect(await malformed.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  });
});

describe("failures of the model", () => {
  it("are a 500 without details, or an error event in a stream; the server stays up", async () => {
    const body = { model, messages: ask("crash") };
    expect(await chat(body)).toMatchObject({
      status: 500,
      error: { type: "server_error", message: expect.not.stringContaining("secret") },
    });
    const stream = await openai.chat.completions.create({ ...body, stream: true });
    const read = async (): Promise<void> => {
      for await (const _ of stream);
    };
    await expect(read()).rejects.toThrow(APIError);
    const reply = await openai.chat.completions.create({
      model,
      messages: ask("hi"),
      temperature: 0,
    });
    expect(reply.choices[0]!.finish_reason).toBe("stop");
  });

  it("are a 503 that says which stage of the model is lost", async () => {
    expect(await chat({ messages: ask("lose a stage") })).toMatchObject({
      status: 503,
      error: { code: "stage_failed", message: "stage 2 of 3 (layers 4 to 7): told to end" },
    });
  });

  it("are logged, but prompts never are", async () => {
    await chat({ messages: ask("my private diary") });
    expect(logged).toContain("told to crash");
    expect(logged).toContain("/v1/chat/completions");
    expect(logged).not.toContain("diary");
    expect(logged).not.toContain("The sum is");
  });
});
