import { selectBackend } from "@levin/kernels/node";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "../index.ts";
import { startServer } from "../start-server.ts";
import { scriptedModel } from "../testing/scripted-model.ts";

const maxPromptTokens = 60;

let app: FastifyInstance;
beforeAll(async () => {
  await selectBackend("cpu");
  app = createServer({ ...scriptedModel(() => "yes"), maxPromptTokens });
});
afterAll(() => app?.close());

const post = async (url: string, payload: object) => {
  const response = await app.inject({ method: "POST", url, payload });
  return { status: response.statusCode, ...response.json<{ error?: object }>() };
};
const model = "scripted";
const messages = (content: string) => [{ role: "user", content }];
const bodies: [string, string, (text: string) => object][] = [
  ["/v1/chat/completions", "messages", (text) => ({ model, messages: messages(text) })],
  ["/v1/completions", "prompt", (prompt) => ({ model, prompt })],
  ["/v1/responses", "input", (input) => ({ model, input })],
  ["/v1/embeddings", "input", (input) => ({ model, input })],
  ["/v1/embeddings", "input", (text) => ({ model, input: [Array.from(text, () => 1)] })],
  ["/tokenize", "prompt", (prompt) => ({ prompt })],
  ["/tokenize", "content", (content) => ({ content })],
  ["/tokenize", "messages", (text) => ({ messages: messages(text) })],
];

describe("the longest prompt that a server takes", () => {
  it.each(bodies)("holds for %s (%s)", async (path, param, body) => {
    const refused = { status: 400, error: { param, code: "context_length_exceeded" } };
    const found = await post(path, body("x".repeat(200)));
    expect(found).toMatchObject(refused);
    expect(found.error).toMatchObject({ message: /up to 60 tokens, found \d+/ as never });
    expect(await post(path, body("x"))).not.toMatchObject({ status: 400 });
  });

  it("holds for a session as a whole", async () => {
    const { id } = await post("/v1/sessions", {}).then(
      (reply) => reply as unknown as { id: string },
    );
    const ask = (content: string) =>
      post("/v1/chat/completions", { model, session: id, messages: messages(content) });
    expect(await ask("x".repeat(10))).toMatchObject({ status: 200 });
    const error = { param: "messages", code: "context_length_exceeded" };
    expect(await ask("x".repeat(20))).toMatchObject({ status: 400, error });
  });

  it("is not known before other engines", async () => {
    const upstreams = ["http://127.0.0.1:1"];
    const started = startServer({ upstreams, maxPromptTokens, port: 0 });
    await expect(started).rejects.toThrow(/--max-prompt-tokens: .*--max-model-len/);
  });
});
