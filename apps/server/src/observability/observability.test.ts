import { selectBackend } from "@levin/kernels/node";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ask,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";

let server: ScriptedServer;
let logged = "";
beforeAll(async () => {
  await selectBackend("cpu");
  const sink = { write: (line: string) => void (logged += line) };
  server = await startScriptedServer({ logger: pino({ level: "info" }, sink) });
});
afterAll(() => server?.close());
beforeEach(() => (logged = ""));

const answer = (content: string) =>
  server.openai.chat.completions.create({ model, messages: ask(content), temperature: 0 });

/** Samples of `/metrics` by their names with labels. */
async function samples(): Promise<Map<string, number>> {
  const response = await fetch(`${server.url}/metrics`);
  expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
  const lines = (await response.text()).split("\n").filter((line) => /^\w/.test(line));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
  );
}

describe("metrics", () => {
  it("count tokens, times, hits of the prefix cache and requests", async () => {
    const before = await samples();
    const { usage } = await answer("something new");
    await answer("something new");
    await fetch(`${server.url}/nowhere/${Math.random()}`);
    const after = await samples();
    const grown = (name: string): number => after.get(name)! - (before.get(name) ?? 0);
    expect(grown('levin_tokens_total{kind="prompt"}')).toBe(2 * usage!.prompt_tokens);
    expect(grown('levin_tokens_total{kind="cached"}')).toBe(usage!.prompt_tokens);
    expect(grown('levin_tokens_total{kind="generated"}')).toBe(2 * usage!.completion_tokens);
    expect(grown('levin_prefix_cache_requests_total{result="hit"}')).toBe(1);
    expect(grown('levin_prefix_cache_requests_total{result="miss"}')).toBe(1);
    expect(grown("levin_time_to_first_token_seconds_count")).toBe(2);
    expect(grown("levin_inter_token_seconds_count")).toBe(2 * usage!.completion_tokens - 2);
    expect(grown("levin_queue_wait_seconds_count")).toBe(2);
    expect(grown('levin_generation_duration_seconds_count{finish_reason="stop"}')).toBe(2);
    const route = (labels: string) => grown(`levin_http_request_duration_seconds_count{${labels}}`);
    expect(route('method="POST",route="/v1/chat/completions",status="200"')).toBe(2);
    expect(route('method="GET",route="unknown",status="404"')).toBe(1);
  });

  it("tell how many answers each decoding step moved on", async () => {
    const before = await samples();
    const answers = await Promise.all(["one", "two", "three"].map(answer));
    const after = await samples();
    const grown = (name: string): number =>
      after.get(`levin_batch_size_${name}`)! - (before.get(`levin_batch_size_${name}`) ?? 0);
    // The first token comes of the prompt.
    const tokens = answers.map(({ usage }) => usage!.completion_tokens - 1);
    expect(grown("sum")).toBe(tokens.reduce((sum, count) => sum + count, 0));
    expect(grown("count")).toBeGreaterThanOrEqual(Math.max(...tokens));
    expect(grown("count")).toBeLessThan(grown("sum"));
    expect(grown('bucket{le="1"}')).toBeLessThan(grown('bucket{le="4"}'));
    expect(grown('bucket{le="4"}')).toBe(grown("count"));
    expect(grown('bucket{le="+Inf"}')).toBe(grown("count"));
  });

  it("tell what is there now, and of the process", async () => {
    const now = await samples();
    expect(now.get("levin_model_ready")).toBe(1);
    expect(now.get("levin_queue_requests")).toBe(0);
    expect(now.get("levin_requests_running")).toBe(0);
    expect(now.get("levin_prefix_cache_bytes")).toBeGreaterThan(0);
    expect(now.get("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(now.has("nodejs_eventloop_lag_p99_seconds")).toBe(true);
  });
});

describe("request ids", () => {
  const idFor = async (id?: string): Promise<string> => {
    const response = await fetch(`${server.url}/v1/models`, {
      headers: id ? { "x-request-id": id } : {},
    });
    return response.headers.get("x-request-id")!;
  };

  it("are the client's if they are sane, else new ones", async () => {
    expect(await idFor("abc-123")).toBe("abc-123");
    const made = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
    for (const id of [undefined, "with space", "a".repeat(200), '{"x":1}']) {
      expect(await idFor(id)).toMatch(made);
    }
  });

  it("are those of the log, which tells of an answer how long it took and not what it says", async () => {
    await server.openai.chat.completions.create(
      { model, messages: ask("my private diary"), temperature: 0 },
      { headers: { "x-request-id": "find-me" } },
    );
    const lines = logged
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const ended = lines.find(({ msg }) => msg === "generation ended");
    expect(ended).toMatchObject({
      reqId: "find-me",
      finishReason: "stop",
      promptTokens: expect.any(Number),
      completionTokens: expect.any(Number),
      firstToken: expect.any(Number),
    });
    expect(logged).not.toContain("diary");
  });

  it("come with errors too", async () => {
    const response = await fetch(`${server.url}/nowhere`, { headers: { "x-request-id": "lost" } });
    expect(response.status).toBe(404);
    expect(response.headers.get("x-request-id")).toBe("lost");
  });
});
