import { selectBackend } from "@levin/kernels/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { model, startScriptedServer, type ScriptedServer } from "./testing/scripted-server.ts";

const megabyte = 2 ** 20;
const session = {
  format: "levin-session",
  version: 1,
  title: "moved",
  metadata: {},
  tools: null,
  model: { id: "elsewhere", fingerprint: "f" },
  messages: [{ message: { role: "user", content: "hi" }, tokens: [1, 2], created_at: 5 }],
};

// What no request needs is refused before time is spent on it; how much time is not asked here.
describe("a server stays free", () => {
  let server: ScriptedServer;
  beforeAll(async () => {
    await selectBackend("cpu");
    server = await startScriptedServer();
  });
  afterAll(() => server?.close());

  it.each([
    ["lists in lists", "[".repeat(6 * megabyte)],
    ["empty objects", `[${"{},".repeat(2 * megabyte)}{}]`],
    ["numbers", `{"model":"${model}","prompt":[${"1,".repeat(3 * megabyte)}1]}`],
  ])("of bodies of many %s", async (_, body) => {
    const { status, error } = await server.post("/v1/completions", body);
    expect({ status, error }).toMatchObject({ status: 400, error: { code: "invalid_json" } });
  });

  it("of prompts that turn out longer than the context: they are not read to their end", async () => {
    const encoded = { status: 400, error: { code: "context_length_exceeded" } };
    const text = "a, b. ".repeat(1200);
    for (const [path, body] of [
      ["/v1/completions", { model, prompt: text }],
      ["/v1/embeddings", { model, input: text }],
      ["/v1/chat/completions", { model, messages: [{ role: "user", content: text }] }],
      ["/v1/responses", { model, input: text }],
      ["/detokenize", { model, tokens: Array.from({ length: 2000 }, () => 1) }],
    ] as const) {
      const reply = await server.post(path, body);
      expect(reply).toMatchObject(encoded);
      expect(JSON.stringify(reply)).toContain("more than 1024 tokens");
    }
  });

  it("while a large session is imported, whose messages and state are those of its file", async () => {
    const bytes = Buffer.alloc(megabyte, "state").toString("base64");
    const file = { ...session, state: { message: 0, tokens: 1, bytes } };
    const response = await fetch(`${server.url}/v1/sessions/import`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(file),
    });
    const { id, imported } = (await response.json()) as { id: string; imported: object };
    expect(imported).toMatchObject({
      state: "dropped",
      reason: expect.stringContaining("weights"),
    });
    const kept = await (await fetch(`${server.url}/v1/sessions/${id}`)).json();
    expect(kept).toMatchObject({ title: "moved", messages: [{ role: "user", content: "hi" }] });
  });

  it.each([
    ["no JSON", "x".repeat(megabyte), "invalid_json"],
    ["another version", JSON.stringify({ ...session, version: 2, x: "x".repeat(megabyte) }), null],
    ["lists in lists", `"${"x".repeat(megabyte)}"${"[".repeat(200)}`, "invalid_json"],
  ])("and tells what is wrong with a large one: %s", async (_, body, code) => {
    const { status, error } = await server.post("/v1/sessions/import", body);
    expect({ status, error }).toMatchObject({ status: 400, error: { code } });
  });
});
