import { selectBackend } from "@levin/kernels/node";
import type OpenAI from "openai";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { expectIdle, patient } from "../testing/expect-idle.ts";
import {
  answer,
  ask,
  endless,
  model,
  startScriptedServer,
  thought,
  type ScriptedServer,
  type WithReasoning,
} from "../testing/scripted-server.ts";
import { startUpstreamServer, type UpstreamServer } from "../testing/upstream-server.ts";

beforeAll(() => selectBackend("cpu"));

const busy = { ...endless, shutdownGrace: 0 };
const question = { model, messages: ask("go"), temperature: 0 };

type Engines = Parameters<typeof startScriptedServer>[0];

/** Levin servers, and one before them. */
async function start(
  count: number,
  engine: Engines = {},
  options: Parameters<typeof startUpstreamServer>[1] = {},
): Promise<{ front: UpstreamServer; engines: ScriptedServer[] }> {
  const engines = await Promise.all(
    Array.from({ length: count }, () => startScriptedServer(engine)),
  );
  const front = await startUpstreamServer(
    engines.map(({ url }) => url),
    { shutdownGrace: 0, ...options },
  );
  onTestFinished(async () => {
    await front.close();
    await Promise.all(engines.map((server) => server.close()));
  });
  return { front, engines };
}

async function startStream(openai: OpenAI, signal?: AbortSignal) {
  const stream = await openai.chat.completions.create({ ...question, stream: true }, { signal });
  const chunks = stream[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) await chunks.next();
  return chunks;
}

describe("a server before another Levin server", () => {
  it("answers as that one does, whole and streamed", async () => {
    const { front, engines } = await start(1);
    const direct = await engines[0]!.openai.chat.completions.create(question);
    const { message } = (await front.openai.chat.completions.create(question)).choices[0]!;
    expect(message).toEqual(direct.choices[0]!.message);
    expect(message).toMatchObject({ content: answer, reasoning_content: thought });

    const stream = await front.openai.chat.completions.create({
      ...question,
      stream: true,
      stream_options: { include_usage: true },
    });
    let [content, reasoning, pieces, tokens] = ["", "", 0, 0];
    for await (const { choices, usage } of stream) {
      const delta = choices[0]?.delta as WithReasoning<{ content?: string }> | undefined;
      content += delta?.content ?? "";
      reasoning += delta?.reasoning_content ?? "";
      tokens = usage?.total_tokens ?? tokens;
      pieces += 1;
    }
    expect({ content, reasoning, tokens }).toEqual({
      content: answer,
      reasoning: thought,
      tokens: direct.usage!.total_tokens,
    });
    expect(pieces).toBeGreaterThan(5);
  });

  it("passes text completions on, and errors as they are", async () => {
    const { front } = await start(1);
    const { choices } = await front.openai.completions.create({
      model,
      prompt: "go",
      temperature: 0,
    });
    expect(choices[0]!.text).toBe(answer);
    await expect(
      front.openai.chat.completions.create({ ...question, temperature: 9 }),
    ).rejects.toMatchObject({ status: 400, param: "temperature" });
  });

  it("refuses what can't be a request itself, and models that no upstream has", async () => {
    const { front } = await start(1);
    const bad = front.openai.chat.completions.create({ model, messages: [] });
    await expect(bad).rejects.toMatchObject({ status: 400, param: "messages" });
    const other = front.openai.chat.completions.create({ ...question, model: "other" });
    await expect(other).rejects.toMatchObject({ status: 404, code: "model_not_found" });
    await expect(front.openai.models.retrieve("other")).rejects.toMatchObject({ status: 404 });
  });

  it("refuses what is nested too deeply to be passed on", async () => {
    const { front } = await start(1);
    const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const path of ["/detokenize", "/v1/chat/completions"]) {
      const headers = { "content-type": "application/json" };
      const body = `{"model": "${model}", "messages": [{"role": "user"}], "x": ${nested}}`;
      const response = await fetch(front.url + path, { method: "POST", headers, body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code: "invalid_json" } });
    }
  });

  it("lists the models, and tells of its upstreams", async () => {
    const { front, engines } = await start(2);
    expect((await front.openai.models.list()).data).toMatchObject([{ id: model }]);
    expect(await front.openai.models.retrieve(model)).toMatchObject({ id: model });
    const get = async (path: string) => {
      const response = await fetch(front.url + path);
      return { status: response.status, body: await response.json() };
    };
    const available = { status: "available", outstanding: 0 };
    const upstreams = [
      { upstream: 1, ...available },
      { upstream: 2, ...available },
    ];
    expect(await get("/health")).toEqual({ status: 200, body: { status: "ok", upstreams } });
    expect(await get("/ready")).toMatchObject({ status: 200, body: { status: "ready" } });
    await Promise.all(engines.map((server) => server.close()));
    await expect.poll(async () => (await get("/ready")).status, patient).toBe(503);
    expect((await get("/health")).status).toBe(200);
  });
});

describe("streams through it", () => {
  it("stop upstream when the client goes away", async () => {
    const { front, engines } = await start(1, busy);
    const client = new AbortController();
    await startStream(front.openai, client.signal);
    client.abort();
    await expectIdle(engines[0]!);
    await expect.poll(() => front.upstreams.all[0]!.outstanding, patient).toBe(0);
  });

  it("go to the upstream with least to do", async () => {
    const { front } = await start(2, busy);
    for (let i = 0; i < 4; i++) await startStream(front.openai);
    expect(front.upstreams.all.map(({ outstanding }) => outstanding)).toEqual([2, 2]);
  });

  it("end with a typed error when the server closes", async () => {
    const { front } = await start(1, busy);
    const chunks = await startStream(front.openai);
    const rest = async (): Promise<void> => {
      for await (const _ of { [Symbol.asyncIterator]: () => chunks });
    };
    const end = rest().catch((error: unknown) => error);
    await front.close();
    expect(await end).toMatchObject({ code: "shutting_down" });
  });
});
