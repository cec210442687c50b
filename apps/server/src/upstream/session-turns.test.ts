import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { selectBackend } from "@levin/kernels/node";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createKey } from "../security/api-key.ts";
import { KeyRing } from "../security/key-ring.ts";
import { UsageBook } from "../security/key-usage.ts";
import { openDatabase } from "../sessions/open-database.ts";
import { ask, startScriptedServer, type ScriptedServer } from "../testing/scripted-server.ts";
import { SessionClient } from "../testing/session-client.ts";
import { startSmallEngine } from "../testing/small-engine.ts";
import { startUpstreamServer, type UpstreamServer } from "../testing/upstream-server.ts";

/** Tells how many questions it was asked and how many thoughts it can see. */
const script = (conversation: string): string => {
  const count = (text: string) => conversation.split(text).length - 1;
  const last = conversation.slice(conversation.lastIndexOf("user name=user"));
  if (last.includes("use a tool") && !last.includes("tool result")) {
    return 'Wait.\n<tool_calls>\n{"name": "look", "arguments": {"at": "x"}}\n</tool_calls>';
  }
  const long = last.includes("at length") ? " and so on".repeat(20) : "";
  return `<think>\nhm ${count("hm ")}\n</think>\n\nAnswer ${count("user name=user")}${long}.`;
};

let engine: ScriptedServer;
let front: UpstreamServer;
let client: SessionClient;
beforeAll(async () => {
  await selectBackend("cpu");
  engine = await startScriptedServer({ script, context: 20_000 });
  front = await startUpstreamServer([engine.url], { shutdownGrace: 0 });
  client = new SessionClient(front.url, "scripted");
});
afterAll(async () => {
  await front?.close();
  await engine?.close();
});

const refused = (status: number, error: object) => ({ status, body: { error } });
const content = async (id: string) => (await client.get(id)).messages.map((one) => one.content);

describe("sessions before another Levin server", () => {
  let id: string;
  beforeEach(async () => {
    ({ id } = await client.create({ system: "Be brief.", title: "trunk" }));
  });

  it("keep what is said, thoughts too, and send the whole conversation without them", async () => {
    expect(await client.get(id)).toMatchObject({ model: "scripted", states: [], token_count: 0 });
    for (const n of [1, 2, 3]) {
      const { choices, usage } = await client.ask(id, `Question ${n}?`);
      expect(choices[0]).toMatchObject({
        message: { content: `Answer ${n}.`, reasoning_content: "hm 0" },
        finish_reason: "stop",
      });
      expect(usage.prompt_tokens).toBeGreaterThan(0);
    }
    const { messages } = await client.get(id);
    expect(messages).toHaveLength(7);
    expect(messages[6]).toMatchObject({
      role: "assistant",
      content: "Answer 3.",
      reasoning_content: "hm 0",
      tokens: null,
    });
  });

  it("stream, and are saved before their end is told", async () => {
    const stream = await front.openai.chat.completions.create({
      ...(client.turn(id, "Well?") as { model: string; messages: [] }),
      stream: true,
      stream_options: { include_usage: true },
    });
    let [text, tokens] = ["", 0];
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? "";
      tokens = usage?.total_tokens ?? tokens;
      if (choices[0]?.finish_reason) {
        expect(await content(id)).toEqual(["Be brief.", "Well?", "Answer 1."]);
      }
    }
    expect(text).toBe("Answer 1.");
    expect(tokens).toBeGreaterThan(0);
  });

  it("keep what a stream told that its client breaks off, and let the next turn begin", async () => {
    const leaving = new AbortController();
    engine.engine.hold(60);
    const response = await fetch(`${front.url}/v1/chat/completions`, {
      method: "POST",
      signal: leaving.signal,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(client.turn(id, "at length", { stream: true })),
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    // The thought and the first words of the answer.
    for (let told = ""; told.split('"content":"').length < 20;)
      told += (await reader.read()).value!;
    await expect(client.ask(id, "Now?")).rejects.toMatchObject(
      refused(409, { code: "session_busy" }),
    );
    leaving.abort();
    engine.engine.letGo();
    await expect.poll(() => content(id), { timeout: 20_000 }).toHaveLength(3);
    expect((await content(id))[2]).toMatch(/^Answer 1 and/);
    await expect
      .poll(() => client.ask(id, "Go on.").catch((error: unknown) => error), { timeout: 20_000 })
      .toMatchObject({ choices: [{ message: { content: "Answer 2." } }] });
  });

  it("fork, export, import, and answer again", async () => {
    for (const text of ["One?", "Two?"]) await client.ask(id, text);
    const fork = await client.fork(id, { message: 3 });
    expect((await client.ask(fork.id)).choices[0]!.message.content).toBe("Answer 2.");
    const early = await client.fork(id, { message: 2, title: "branch" });
    expect((await client.ask(early.id, "Other?")).choices[0]!.message.content).toBe("Answer 2.");
    const file = await client.request<object>("GET", `sessions/${early.id}/export`);
    const copy = await client.request("POST", "sessions/import", file);
    expect(copy).toMatchObject({ title: "branch", imported: { state: "none" }, message_count: 5 });
    expect((await client.ask(copy.id, "Third?")).choices[0]!.message.content).toBe("Answer 3.");
    await client.request("DELETE", `sessions/${id}`);
    await expect(client.ask(id, "Gone?")).rejects.toMatchObject(refused(404, {}));
  });

  it("keep calls of tools, and the tools for later turns", async () => {
    const tools = [
      { type: "function", function: { name: "look", parameters: { type: "object" } } },
    ];
    const { choices } = await client.ask(id, "use a tool", { tools });
    expect(choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ function: { name: "look", arguments: '{"at": "x"}' } }] },
    });
    const { messages } = await client.get(id);
    const [call] = messages[2]!.tool_calls as { id: string }[];
    const result = { role: "tool", tool_call_id: call!.id, content: "tool result: 3" };
    const next = await client.ask(id, "", { messages: [result] });
    expect(next.choices[0]!.message.content).toBe("Answer 1.");
    const again = await client.ask(id, "use a tool again");
    expect(again.choices[0]!.finish_reason).toBe("tool_calls");
  });

  it("stay as they were, and open, when a turn is refused by either server", async () => {
    await client.ask(id, "One?");
    const before = await client.get(id);
    const image = [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }];
    const wrong: [object, object][] = [
      [client.turn(id), refused(400, { param: "messages" })],
      [
        client.turn(id, "x", { messages: image }),
        refused(400, { param: "messages[0].content[0].type" }),
      ],
      [client.turn(id, "x", { n: 2 }), refused(400, { param: "n" })],
      [client.turn(id, "x", { model: "other" }), refused(404, { code: "model_not_found" })],
      [client.turn(id, "x", { temperature: 9 }), refused(400, { param: "temperature" })],
      [client.turn(id, "word ".repeat(20_000)), refused(400, { code: "context_length_exceeded" })],
      [client.turn("none", "x"), refused(404, { code: "session_not_found" })],
      [client.turn(id, "x", { session: 1 }), refused(400, { param: "session" })],
    ];
    for (const [body, error] of wrong) {
      const turn = client.request("POST", "chat/completions", body);
      await expect(turn).rejects.toMatchObject(error);
    }
    expect(await client.get(id)).toEqual(before);
    expect((await client.ask(id, "Two?")).choices[0]!.message.content).toBe("Answer 2.");
  });
});

it("a session goes on before an engine as with a model here, and back", async () => {
  const data = mkdtempSync(join(tmpdir(), "levin-sessions-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  const here = async (act: (client: SessionClient) => Promise<void>) => {
    const fingerprint = () => Promise.resolve("script");
    const database = await openDatabase({ data });
    const server = await startScriptedServer({ script, context: 8000, fingerprint, database });
    await act(new SessionClient(server.url, "scripted"));
    await server.close();
  };
  let id = "";
  await here(async (local) => {
    ({ id } = await local.create());
    await local.ask(id, "One?");
    expect((await local.get(id)).states).toHaveLength(1);
  });
  const before = await startUpstreamServer([engine.url], {
    database: await openDatabase({ data }),
  });
  const remote = new SessionClient(before.url, "scripted");
  expect((await remote.ask(id, "Two?")).choices[0]!.message.content).toBe("Answer 2.");
  expect(await remote.get(id)).toMatchObject({ message_count: 4, token_count: 0, states: [] });
  await before.close();
  await here(async (local) => {
    const { choices, usage } = await local.ask(id, "Three?");
    expect(choices[0]!.message).toMatchObject({ content: "Answer 3.", reasoning_content: "hm 2" });
    expect(usage.prompt_tokens_details.cached_tokens).toBe(0);
    expect((await local.get(id)).states).toHaveLength(1);
  });
});

it("sessions and responses are their key's alone, which is charged what the engine counts", async () => {
  const usage = new UsageBook();
  const made = ["ann", "bob"].map((name) => createKey(name, {}));
  const keys = new KeyRing(
    undefined,
    made.map(({ stored }) => stored),
  );
  const server = await startUpstreamServer([engine.url], { security: { keys, usage } });
  onTestFinished(() => server.close());
  const [ann, bob] = made.map(
    ({ key }) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 }),
  ) as [OpenAI, OpenAI];
  const { id } = await ann.post<{ id: string }>("/sessions", { body: {} });
  const asked = { model: "scripted", temperature: 0 };
  const turn = (text: string) => ({ ...asked, session: id, messages: ask(text) });
  const { usage: whole } = await ann.chat.completions.create(turn("One?"));
  const stream = await ann.chat.completions.create({
    ...turn("Two?"),
    stream: true,
    stream_options: { include_usage: true },
  });
  let last: typeof whole;
  for await (const chunk of stream) last = chunk.usage ?? last;
  const response = await ann.responses.create({ ...asked, input: "hi" });
  expect(usage.of(made[0]!.stored.id).total).toMatchObject({
    promptTokens: whole!.prompt_tokens + last!.prompt_tokens + response.usage!.input_tokens,
    completionTokens:
      whole!.completion_tokens + last!.completion_tokens + response.usage!.output_tokens,
  });
  await expect(bob.chat.completions.create(turn("Mine?"))).rejects.toMatchObject({
    code: "session_not_found",
  });
  const follow = { ...asked, input: "hi", previous_response_id: response.id };
  await expect(bob.responses.create(follow)).rejects.toMatchObject({ code: "response_not_found" });
});

it("a key is charged what an engine tells in pieces", async () => {
  const usage = new UsageBook();
  const { key, stored } = createKey("ann", {});
  const small = await startSmallEngine(async (response) => {
    response.setHeader("content-type", "text/event-stream");
    response.write(
      'data: {"choices": [{"delta": {"content": "Yes"}, "finish_reason": "stop"}]}\n\n',
    );
    response.write('data: {"choices": [], "usage": {"prompt_tokens": 7, ');
    await sleep(100);
    response.end('"completion_tokens": 5}}\n\ndata: [DONE]\n\n');
  });
  const keys = new KeyRing(undefined, [stored]);
  const server = await startUpstreamServer([small.url], { security: { keys, usage } });
  onTestFinished(async () => {
    await server.close();
    small.close();
  });
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 });
  const stream = await openai.responses.create({ model: "small", input: "hi", stream: true });
  for await (const _ of stream);
  expect(usage.of(stored.id).total).toMatchObject({ promptTokens: 7, completionTokens: 5 });
});

it("a stream left while its prompt is read saves no answer", async () => {
  const progress = { total: 9, cache: 0, processed: 4, time_ms: 1 };
  const small = await startSmallEngine((response) => {
    response.setHeader("content-type", "text/event-stream");
    response.write(`data: ${JSON.stringify({ choices: [], prompt_progress: progress })}\n\n`);
  });
  const server = await startUpstreamServer([small.url], { shutdownGrace: 0 });
  onTestFinished(async () => {
    await server.close();
    small.close();
  });
  const asker = new SessionClient(server.url, "small");
  const { id } = await asker.create();
  const leaving = new AbortController();
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    signal: leaving.signal,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asker.turn(id, "Well?", { stream: true, return_progress: true })),
  });
  const reader = response.body!.getReader();
  for (let told = ""; !told.includes("prompt_progress");) {
    told += Buffer.from((await reader.read()).value!).toString();
  }
  leaving.abort();
  // The session is open for a fork's answer, or this one's, when all is over.
  await expect
    .poll(() => asker.ask(id).catch((error: unknown) => error), { timeout: 20_000 })
    .toMatchObject({
      body: { error: { message: expect.stringContaining("found no message") as string } },
    });
});

describe("an engine that fails in a turn", () => {
  const event = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const start = async (said: string) => {
    const small = await startSmallEngine((response) => {
      response.setHeader("content-type", "text/event-stream");
      response.end(said);
    });
    const server = await startUpstreamServer([small.url]);
    onTestFinished(async () => {
      await server.close();
      small.close();
    });
    const asker = new SessionClient(server.url, "small");
    return { asker, received: small.received, id: (await asker.create()).id };
  };
  /** The data of all events of a streamed turn. */
  const stream = async ({ asker, id }: Awaited<ReturnType<typeof start>>): Promise<string> => {
    const response = await fetch(`${asker.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asker.turn(id, "Well?", { stream: true })),
    });
    return response.text();
  };

  it.each([
    ["ends early", event({ content: "Half an" })],
    ["says so", `${event({ content: "Half an" })}data: {"error": {"message": "out of luck"}}\n\n`],
    ["sends no JSON", "data: what?\n\n"],
    ["sends something else", 'data: {"choices": "none"}\n\n'],
  ])("and %s leaves the session as it was", async (_, said) => {
    const started = await start(said);
    expect(await stream(started)).toContain('"code":"upstream_failed"');
    expect(await started.asker.get(started.id)).toMatchObject({ message_count: 0 });
  });

  it("is understood in the forms that engines have", async () => {
    const said = [
      event({ role: "assistant", content: null }),
      event({ reasoning: "So." }),
      event({ content: "Yes" }),
      event({ tool_calls: [{ index: 1, id: "a", function: { name: "f", arguments: '{"x"' } }] }),
      event({ tool_calls: [{ index: 1, id: "", function: { arguments: ": 1}" } }] }),
      event({ tool_calls: [{ index: 2, id: "b", function: { name: "g", arguments: "{}" } }] }),
      event({ tool_calls: [{ index: 2, id: "c", function: { name: "g", arguments: "{}" } }] }),
      event({}, "content_filter"),
      'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}\n\n',
      "data: [DONE]\n\n",
    ];
    const started = await start(said.join(""));
    const told = await stream(started);
    expect(told).toMatch(/"finish_reason":"length".*"stop_reason":"content_filter"/);
    const { messages } = await started.asker.get(started.id);
    expect(messages[1]).toMatchObject({
      content: "Yes",
      reasoning_content: "So.",
      tool_calls: [
        { id: "a", function: { name: "f", arguments: '{"x": 1}' } },
        { id: "b", function: { name: "g", arguments: "{}" } },
        { id: "c", function: { name: "g", arguments: "{}" } },
      ],
    });
    const sent = JSON.parse(started.received[0]!.body) as object;
    expect(sent).toEqual({
      model: "small",
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: "user", content: "Well?" }],
    });
  });
});
