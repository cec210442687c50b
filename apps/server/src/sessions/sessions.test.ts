import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openDatabase } from "./open-database.ts";
import { startScriptedServer, type ScriptedServer } from "../testing/scripted-server.ts";
import { patient } from "../testing/expect-idle.ts";
import { SessionClient } from "../testing/session-client.ts";

/** Tells how many questions it was asked and how many thoughts it remembers. */
const script = (conversation: string): string => {
  const count = (text: string) => conversation.split(text).length - 1;
  if (conversation.includes("fail now")) throw new Error("the script fails");
  return `<think>\nthought ${count("thought ") + 1}\n</think>\n\nAnswer ${count("user name=user")}.`;
};

let server: ScriptedServer;
let client: SessionClient;
beforeAll(async () => {
  await selectBackend("cpu");
  server = await startScriptedServer({ script, context: 8000 });
  client = new SessionClient(server.url, "scripted");
});
afterAll(() => server?.close());
afterEach(() => server.engine.letGo());

const refused = (status: number, error: object) => ({ status, body: { error } });
const content = async (id: string) => (await client.get(id)).messages.map((one) => one.content);

describe("the routes of sessions", () => {
  it("create, read, change and delete one", async () => {
    const created = await client.create({ title: " Sums ", metadata: { a: "b" }, system: "Add." });
    expect(created).toMatchObject({
      id: expect.stringMatching(/^sess_[0-9a-f]{32}$/),
      object: "session",
      title: "Sums",
      metadata: { a: "b" },
      model: "scripted",
      message_count: 1,
      token_count: 0,
    });
    const path = `sessions/${created.id}`;
    const changed = await client.request("PATCH", path, { title: null, metadata: {} });
    expect(changed).toMatchObject({ title: null, metadata: {} });
    expect(await client.get(created.id)).toMatchObject({
      title: null,
      messages: [{ index: 0, role: "system", content: "Add.", tokens: null }],
      states: [],
    });
    expect(await client.request("DELETE", path)).toMatchObject({ deleted: true });
    await expect(client.get(created.id)).rejects.toMatchObject(
      refused(404, { code: "session_not_found" }),
    );
  });

  it("need no body to create one, and list what there is by title and page", async () => {
    for (const title of ["list one", "list two", "list three"]) await client.create({ title });
    await client.request("POST", "sessions");
    type List = { data: { title: string }[]; has_more: boolean; last_id: string };
    const page = await client.request<List>("GET", "sessions?query=LIST&limit=2");
    expect(page.data.map(({ title }) => title)).toEqual(["list three", "list two"]);
    expect(page.has_more).toBe(true);
    const next = `sessions?query=list&limit=2&after=${page.last_id}`;
    const last = await client.request<List>("GET", next);
    expect(last).toMatchObject({ data: [{ title: "list one" }], has_more: false });
  });

  it.each([
    ["POST", "sessions", { name: "x" }, "name"],
    ["POST", "sessions", { title: "x".repeat(201) }, "title"],
    ["POST", "sessions", { metadata: { a: 1 } }, "metadata.a"],
    ["POST", "sessions", [], null],
    ["GET", "sessions?limit=0", undefined, "limit"],
    ["GET", "sessions?order=asc", undefined, "order"],
    ["PATCH", "sessions/none", {}, null],
    ["POST", "sessions/import", { format: "other" }, "format"],
  ])("refuse %s %s with %j", async (method, path, body, param) => {
    await expect(client.request(method, path, body)).rejects.toMatchObject(refused(400, { param }));
  });

  it("know no others", async () => {
    await expect(client.request("PUT", "sessions", {})).rejects.toMatchObject({ status: 405 });
    for (const [method, path] of [
      ["GET", "sessions/none"],
      ["GET", "sessions/none/export"],
      ["DELETE", "sessions/none"],
      ["POST", "sessions/none/fork"],
    ] as const) {
      await expect(client.request(method, path)).rejects.toMatchObject({ status: 404 });
    }
  });
});

describe("turns of a session", () => {
  it("read only what is new, thoughts of earlier turns included", async () => {
    const { id } = await client.create({ system: "Be brief." });
    const first = await client.ask(id, "How many?\nSay it.");
    expect(first.choices[0]!.message).toMatchObject({
      content: "Answer 1.",
      reasoning_content: "thought 1",
    });
    const said = first.usage.prompt_tokens + first.usage.completion_tokens;
    const second = await client.ask(id, "And now?");
    expect(second.choices[0]!.message).toMatchObject({
      content: "Answer 2.",
      reasoning_content: "thought 2",
    });
    // An answer's last token is read with what follows it.
    expect(second.usage.prompt_tokens_details.cached_tokens).toBe(said - 1);
    const { messages, states, title, token_count: tokens } = await client.get(id);
    expect(messages.map(({ role }) => role)).toEqual([
      "system",
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
    expect(messages[4]).toMatchObject({ content: "Answer 2.", reasoning_content: "thought 2" });
    expect(title).toBe("How many?");
    expect(tokens).toBe(second.usage.prompt_tokens + second.usage.completion_tokens);
    expect(messages.reduce((sum, one) => sum + one.tokens!, 0)).toBe(tokens);
    expect(states.map(({ message }) => message)).toEqual([2, 4]);
    expect(states[1]!.tokens).toBe(tokens - 1);
  });

  it("find their state with the engine, and in the database only after a restart", async () => {
    const data = mkdtempSync(join(tmpdir(), "levin-sessions-"));
    onTestFinished(() => rmSync(data, { recursive: true }));
    const start = async () => {
      const database = await openDatabase({ data });
      const fingerprint = () => Promise.resolve("script");
      return startScriptedServer({ script, context: 8000, database, fingerprint });
    };
    const turns = async (url: string): Promise<Record<string, number>> => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const found = text.matchAll(/^levin_session_turns_total\{state="(\w+)"\} (\d+)$/gm);
      return Object.fromEntries(Array.from(found, ([, state, count]) => [state, Number(count)]));
    };
    const before = await start();
    const asker = new SessionClient(before.url, "scripted");
    const { id } = await asker.create();
    for (const text of ["One?", "Two?", "Three?"]) await asker.ask(id, text);
    expect(await turns(before.url)).toEqual({ none: 1, cached: 2 });
    await before.close();
    const after = await start();
    const again = new SessionClient(after.url, "scripted");
    for (const text of ["Four?", "Five?"]) await again.ask(id, text);
    expect(await turns(after.url)).toEqual({ restored: 1, cached: 1 });
    await after.close();
  });

  it("are refused when sessions take as many bytes as they may; others go on once some are deleted", async () => {
    const small = await startScriptedServer({ script, sessionLimits: { bytes: 200, perKey: 2 } });
    onTestFinished(() => small.close());
    const asker = new SessionClient(small.url, "scripted");
    const { id } = await asker.create();
    await asker.ask(id, "One?");
    const { bytes } = await asker.get(id);
    expect(bytes).toBeGreaterThan(200);
    const full = refused(403, { code: "session_bytes_exceeded" });
    await expect(asker.ask(id, "Two?")).rejects.toMatchObject(full);
    await expect(asker.fork(id)).rejects.toMatchObject(full);
    await asker.request("DELETE", `sessions/${id}`);
    for (let i = 0; i < 2; i++) await asker.create();
    await expect(asker.create()).rejects.toMatchObject(
      refused(403, { code: "session_limit_exceeded" }),
    );
  });

  it("stream as others do, and are saved before their end is told", async () => {
    const { id } = await client.create();
    const stream = await server.openai.chat.completions.create({
      ...(client.turn(id, "Well?") as { model: string; messages: [] }),
      stream: true,
    });
    let text = "";
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? "";
      if (choices[0]?.finish_reason) expect(await content(id)).toEqual(["Well?", "Answer 1."]);
    }
    expect(text).toBe("Answer 1.");
  });

  it("refuse a second one while one runs, and deletion; then go on", async () => {
    const { id } = await client.create();
    server.engine.hold(3);
    const turns = [1, 2].map(() => client.ask(id, "Well?"));
    const busy = refused(409, { code: "session_busy" });
    await expect(Promise.race(turns)).rejects.toMatchObject(busy);
    await expect.poll(() => server.engine.held, patient).toBe(1);
    await expect(client.request("DELETE", `sessions/${id}`)).rejects.toMatchObject({ status: 409 });
    server.engine.letGo();
    await Promise.allSettled(turns);
    await client.ask(id, "more");
    expect((await client.get(id)).message_count).toBe(4);
    await client.request("DELETE", `sessions/${id}`);
  });

  it("leave the session as it was, and open, when they are refused or fail", async () => {
    const { id } = await client.create({ system: "Be brief." });
    await client.ask(id, "One?");
    const before = await client.get(id);
    const turn = (body: object) => client.request("POST", "chat/completions", body);
    const wrong: [object, object][] = [
      [client.turn(id), refused(400, { param: "messages" })],
      [client.turn(id, "x", { n: 2 }), refused(400, { param: "n" })],
      [client.turn(id, "x", { model: "other" }), { status: 404 }],
      [client.turn(id, "word ".repeat(9000)), refused(400, { code: "context_length_exceeded" })],
      [
        client.turn(id, "", {
          messages: [
            { role: "system", content: "Now be long." },
            { role: "user", content: "x" },
          ],
        }),
        refused(400, { code: "not_appendable" }),
      ],
      [
        client.turn(id, "x", { tools: [{ type: "function", function: { name: "look" } }] }),
        refused(400, { param: "tools" }),
      ],
      [
        client.turn(id, "x", {
          response_format: { type: "json_schema", json_schema: { name: "x", schema: { not: {} } } },
        }),
        refused(400, { code: "invalid_schema" }),
      ],
      [client.turn(id, "fail now"), { status: 500 }],
      [client.turn("none", "x"), refused(404, { code: "session_not_found" })],
    ];
    for (const [body, error] of wrong) await expect(turn(body)).rejects.toMatchObject(error);
    expect(await client.get(id)).toEqual(before);
    expect((await client.ask(id, "Two?")).choices[0]!.message.content).toBe("Answer 2.");
  });

  it("leave the session open when there is no room for them", async () => {
    const story = (conversation: string) =>
      conversation.includes("at length") ? { again: "one two " } : "Yes.";
    const limits = { maxBatch: 1, queueCapacity: 0, shutdownGrace: 0 };
    const full = await startScriptedServer({ script: story, context: 200_000, ...limits });
    onTestFinished(() => full.close());
    const asker = new SessionClient(full.url, "scripted");
    const [{ id }, other] = [await asker.create(), await asker.create()];
    const leaving = new AbortController();
    const running = fetch(`${full.url}/v1/chat/completions`, {
      method: "POST",
      signal: leaving.signal,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asker.turn(other.id, "at length")),
    }).catch(() => {});
    await expect.poll(full.steps, patient).toBeGreaterThan(0);
    for (let i = 0; i < 2; i++) {
      await expect(asker.ask(id, "One?")).rejects.toMatchObject(
        refused(429, { code: "overloaded" }),
      );
    }
    leaving.abort();
    await running;
    await expect
      .poll(() => asker.ask(id, "One?").catch((error: unknown) => error), { timeout: 20_000 })
      .toMatchObject({ choices: [{ message: { content: "Yes." } }] });
  });

  it.each([true, false])("that are broken off keep what a stream told: %s", async (stream) => {
    const { id } = await client.create();
    const leaving = new AbortController();
    server.engine.hold(10);
    const asked = fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      signal: leaving.signal,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(client.turn(id, "Well?", { stream })),
    });
    await expect.poll(() => server.engine.held, patient).toBe(1);
    if (stream) await (await asked).body!.getReader().read();
    leaving.abort();
    await asked.catch(() => {});
    server.engine.letGo();
    const count = async () => (await client.get(id)).message_count;
    if (stream) await expect.poll(count, patient).toBe(2);
    // The next turn finds the session open as soon as the broken one has ended.
    await expect
      .poll(() => client.ask(id, "Go on.").catch((error: unknown) => error), { timeout: 20_000 })
      .toMatchObject({ choices: [{ message: { content: expect.stringMatching(/^Answer/) } }] });
    const all = await content(id);
    expect(all).toHaveLength(stream ? 4 : 2);
    expect(all[0]).toBe(stream ? "Well?" : "Go on.");
  });

  it("that are cut off within the thought do not make a thought of the next answer", async () => {
    const { id } = await client.create();
    const cut = await client.ask(id, "One?", { max_tokens: 4 });
    expect(cut.choices[0]).toMatchObject({ finish_reason: "length", message: { content: "" } });
    const next = await client.ask(id, "Two?");
    expect(next.choices[0]!.message.content).toBe("Answer 2.");
    expect((await client.get(id)).messages[3]!.content).toBe("Answer 2.");
  });

  it("keep the tools of the first one, which later ones need not name", async () => {
    const { id } = await client.create();
    const tools = [
      { type: "function", function: { name: "look", parameters: { type: "object" } } },
    ];
    await client.ask(id, "One?", { tools });
    const named = await client.ask(id, "Two?", { tools });
    const unnamed = await client.ask(id, "Three?");
    for (const { usage } of [named, unnamed]) {
      expect(usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(0);
    }
    expect(unnamed.choices[0]!.message.content).toBe("Answer 3.");
  });
});

describe("a fork", () => {
  it("goes on by itself, from the end or from a message", async () => {
    const { id } = await client.create({ title: "trunk" });
    for (const text of ["One?", "Two?", "Three?"]) await client.ask(id, text);
    const whole = await client.get(id);
    const end = await client.fork(id, { title: "branch" });
    expect(end).toMatchObject({
      title: "branch",
      message_count: 6,
      token_count: whole.token_count,
    });
    const early = await client.fork(id, { message: 1 });
    expect(early).toMatchObject({ title: "trunk", message_count: 2 });
    const other = await client.ask(early.id, "Another?");
    expect(other.choices[0]!.message.content).toBe("Answer 2.");
    expect(other.usage.prompt_tokens_details.cached_tokens).toBe(early.token_count - 1);
    await client.ask(end.id, "Four?");
    expect(await client.get(id)).toEqual(whole);
    await client.request("DELETE", `sessions/${id}`);
    expect(await content(early.id)).toEqual(["One?", "Answer 1.", "Another?", "Answer 2."]);
    expect((await client.ask(end.id, "Five?")).choices[0]!.message.content).toBe("Answer 5.");
  });

  it("at a question has it answered again", async () => {
    const { id } = await client.create();
    for (const text of ["One?", "Two?"]) await client.ask(id, text);
    const fork = await client.fork(id, { message: 2 });
    const again = await client.ask(fork.id);
    expect(again.choices[0]!.message.content).toBe("Answer 2.");
    const { messages: forked, token_count: tokens } = await client.get(fork.id);
    expect(forked.map((one) => one.content)).toEqual(await content(id));
    expect(tokens).toBe((await client.get(id)).token_count);
  });

  it("is refused at a message that is not there", async () => {
    const { id } = await client.create({ system: "Be brief." });
    const failing = client.fork(id, { message: 1 });
    await expect(failing).rejects.toMatchObject(refused(400, { param: "message" }));
    expect((await client.fork(id)).message_count).toBe(1);
  });
});

describe("an exported session", () => {
  type File = { messages: { tokens: number[] }[]; state: { bytes: string; tokens: number } };
  const exported = async (): Promise<{ id: string; file: File }> => {
    const { id } = await client.create({ metadata: { a: "b" } });
    for (const text of ["One?", "Two?"]) await client.ask(id, text);
    return { id, file: await client.request<File>("GET", `sessions/${id}/export`) };
  };
  const load = (file: unknown, to = client) => to.request("POST", "sessions/import", file);

  it("goes on where it is imported as it would have here", async () => {
    const { id, file } = await exported();
    const copy = await load(file);
    expect(copy).toMatchObject({
      imported: { state: "kept" },
      message_count: 4,
      metadata: { a: "b" },
    });
    expect(copy.id).not.toBe(id);
    const [here, there] = [await client.ask(id, "Three?"), await client.ask(copy.id, "Three?")];
    expect(there.choices[0]!.message).toEqual(here.choices[0]!.message);
    expect(there.usage).toEqual(here.usage);
    expect(there.usage.prompt_tokens_details.cached_tokens).toBe(copy.token_count - 1);
  });

  it("keeps its messages for another model, and says that the state is dropped", async () => {
    const { id, file } = await exported();
    const other = await startScriptedServer({ script, context: 8000 });
    const there = new SessionClient(other.url, "scripted");
    const copy = await load(file, there);
    expect(copy.imported).toMatchObject({ state: "dropped", reason: /other weights/ as never });
    expect((await there.get(copy.id)).messages.map((one) => one.content)).toEqual(
      await content(id),
    );
    const { choices, usage } = await there.ask(copy.id, "Three?");
    expect(choices[0]!.message).toMatchObject({
      content: "Answer 3.",
      reasoning_content: "thought 3",
    });
    expect(usage.prompt_tokens_details.cached_tokens).toBe(0);
    // The tokens that were found anew are those that the model said.
    const again = await there.request<File>("GET", `sessions/${copy.id}/export`);
    const flat = ({ messages }: File) => messages.flatMap(({ tokens }) => tokens);
    expect(flat(again).slice(0, flat(file).length)).toEqual(flat(file));
    await other.close();
  });

  it("of which the state is broken is read anew", async () => {
    const { file } = await exported();
    const bytes = Buffer.from("not a state").toString("base64");
    const copy = await load({ ...file, state: { ...file.state, bytes } });
    expect(copy.imported).toMatchObject({ state: "dropped" });
    const { choices, usage } = await client.ask(copy.id, "Three?");
    expect(choices[0]!.message.content).toBe("Answer 3.");
    expect(usage.prompt_tokens_details.cached_tokens).toBe(0);
  });

  it("cannot bring a state to sessions of others", async () => {
    const { id, file } = await exported();
    const alien = await exported();
    const state = { ...alien.file.state };
    const copy = await load({ ...file, state });
    expect(copy.imported.state).toBe("kept");
    const fresh = await client.create();
    const { usage } = await client.ask(fresh.id, "One?");
    expect(usage.prompt_tokens_details.cached_tokens).toBe(0);
    expect((await client.get(id)).states).toHaveLength(2);
  });

  it("is refused where it is no such file", async () => {
    const { file } = await exported();
    const messages = [{ ...file.messages[0]!, tokens: [999_999] }];
    const halves = [{ ...file.messages[0]!, tokens: [1.5] }];
    const metadata = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`key ${i}`, ""]));
    const wrong: [object, string][] = [
      [{ ...file, version: 2 }, "version"],
      [{ ...file, extra: 1 }, "extra"],
      [{ ...file, messages, state: null }, "messages[0].tokens"],
      [{ ...file, messages: halves, state: null }, "messages[0].tokens"],
      [{ ...file, metadata }, "metadata"],
      [{ ...file, state: { ...file.state, tokens: 1e6 } }, "state"],
      [{ ...file, state: { ...file.state, bytes: "?" } }, "state.bytes"],
    ];
    for (const [body, param] of wrong) {
      await expect(load(body)).rejects.toMatchObject(refused(400, { param }));
    }
  });
});
