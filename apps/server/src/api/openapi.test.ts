import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { selectBackend } from "@levin/kernels/node";
import { redisServerPath, startRedis } from "@levin/tooling/redis-server";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createServer, Jobs, KeyRing, loadServedModel } from "../index.ts";
import { createKey } from "../security/api-key.ts";
import { createBatch } from "../testing/batch-client.ts";
import { CheckedClient } from "../testing/checked-client.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { ask, model, startScriptedServer } from "../testing/scripted-server.ts";

interface Operation {
  summary: string;
  requestBody?: { content: { "application/json": { schema: Record<string, unknown> } } };
  responses: Record<string, { content: Record<string, unknown> }>;
}

interface Document extends Record<string, unknown> {
  paths: Record<string, Record<string, Operation>>;
}

let app: FastifyInstance;
let document: Document;
beforeAll(async () => {
  await selectBackend("cpu");
  app = createServer(scriptedModel(() => "yes"));
  document = (await app.inject("/openapi.json")).json();
});
afterAll(() => app?.close());

/** Whether the document takes a body for a path. */
function accepts(path: string, body: object): boolean {
  const { schema } = document.paths[path]!["post"]!.requestBody!.content["application/json"];
  return new Ajv2020({ strict: false }).validate(schema, body);
}

/** Every route that Fastify has, from the tree that it prints, as `GET /v1/responses/{id}`. */
function routesOf(server: FastifyInstance): string[] {
  const path: string[] = [];
  const lines = server.printRoutes({ commonPrefix: false }).trimEnd().split("\n");
  return lines.flatMap((line) => {
    const [, indent, part, methods] = /^(.*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?/.exec(line)!;
    path.splice(indent!.length / 4, Infinity, part!);
    const url = path.join("").replaceAll(/:(\w+)/g, "{$1}");
    return (methods?.split(", ") ?? []).map((method) => `${method} ${url}`);
  });
}

function operationsOf({ paths }: Document): string[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

describe("the OpenAPI document", () => {
  it("is valid", async () => {
    const result = await new Validator().validate(document);
    expect(result).toMatchObject({ valid: true });
  });

  it("has every route of the API, and no file of the page", async () => {
    const directory = mkdtempSync(join(tmpdir(), "levin-page-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    for (const name of ["index.html", "code.js"]) writeFileSync(join(directory, name), "");
    const server = createServer({ ...scriptedModel(() => "yes"), pageDirectory: directory });
    onTestFinished(() => server.close());
    const found = operationsOf((await server.inject("/openapi.json")).json());
    // Files and batches are not there without Redis.
    const isNone = /^(HEAD|OPTIONS) |\*$|\/(index\.html|code\.js)?$|\/v1\/(files|batches)/;
    const expected = routesOf(server)
      .map((route) => route.replace("/v1/models*", "/v1/models/{id}"))
      .filter((route) => !isNone.test(route));
    expect(expected.length).toBeGreaterThan(20);
    expect(found.toSorted()).toEqual(expected.toSorted());
  });

  it("takes the bodies that the server takes", () => {
    const messages = [{ role: "user", content: [{ type: "text", text: "hi" }] }];
    const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
    const chat = { model: "m", messages, tools, tool_choice: "auto", n: 2, stream: true };
    expect(accepts("/v1/chat/completions", chat)).toBe(true);
    expect(accepts("/v1/chat/completions", { ...chat, messages: [{ role: "x" }] })).toBe(false);
    expect(accepts("/v1/chat/completions", { ...chat, n: 0 })).toBe(false);
    expect(accepts("/v1/completions", { model: "m", prompt: [1, 2] })).toBe(true);
    expect(accepts("/v1/completions", { model: "m", prompt: -1 })).toBe(false);
    const input = [{ role: "user", content: "hi" }, { type: "reasoning" }];
    expect(accepts("/v1/responses", { model: "m", input })).toBe(true);
    expect(accepts("/v1/embeddings", { model: "m", input: ["a", [1]] })).toBe(true);
    expect(accepts("/v1/embeddings", { input: "a" })).toBe(false);
  });
});

const script = (conversation: string): string =>
  conversation.includes("<tools>")
    ? 'So.\n<tool_calls>\n{"name": "add", "arguments": {"a": 1}}\n</tool_calls>'
    : "<think>\nhm\n</think>\n\nYes.";

describe.skipIf(!redisServerPath())("the replies of a server that runs", () => {
  it("are what the document says they are, of every operation", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const { key, stored } = createKey("alice", { tokensPerDay: 100_000 });
    const server = await startScriptedServer({
      script,
      context: 4000,
      jobs: await Jobs.open(redis.url),
      security: { keys: new KeyRing(undefined, [stored]) },
    });
    onTestFinished(() => server.close());
    const headers = { authorization: `Bearer ${key}` };
    const openApi = (await (
      await fetch(`${server.url}/openapi.json`, { headers })
    ).json()) as Document;
    expect(await new Validator().validate(openApi)).toMatchObject({ valid: true });
    const client = new CheckedClient(server.url, key, openApi);
    const send = async (operation: string, body?: unknown, path?: string) =>
      (await client.send(operation, body, path)) as { id: string };

    const messages = ask("hi");
    const add = { name: "add", parameters: { type: "object" } };
    const tools = [{ type: "function", function: add }];
    const stream = { stream: true, stream_options: { include_usage: true }, return_progress: true };
    for (const more of [{}, { tools }, { logprobs: true, top_logprobs: 2, n: 2, stop: "Y" }]) {
      await send("POST /v1/chat/completions", { model, messages, ...more });
      await send("POST /v1/chat/completions", { model, messages, ...more, ...stream });
    }
    for (const more of [{}, { ...stream, logprobs: 2 }]) {
      await send("POST /v1/completions", { model, prompt: ["hi", "ho"], ...more });
    }
    const format = { type: "json_schema", name: "n", schema: { type: "string", maxLength: 3 } };
    await send("POST /v1/responses", { model, input: "hi", text: { format } });
    await send("POST /v1/responses", { model, input: "hi", stream: true });
    const { id: response } = await send("POST /v1/responses", {
      model,
      input: [{ role: "user", content: "hi" }, { type: "reasoning" }],
      tools: [{ type: "function", ...add }],
    });
    await send("GET /v1/responses/{id}", undefined, `/v1/responses/${response}`);
    const itemsPath = `/v1/responses/${response}/input_items`;
    await send("GET /v1/responses/{id}/input_items", undefined, itemsPath);
    await send("DELETE /v1/responses/{id}", undefined, `/v1/responses/${response}`);

    await send("POST /tokenize", { prompt: "hi", return_token_strs: true });
    await send("POST /tokenize", { content: "hi", with_pieces: true });
    await send("POST /tokenize", { content: "hi" });
    await send("POST /detokenize", { tokens: [1, 2] });

    const { id: session } = await send("POST /v1/sessions", { title: "one" });
    const at = `/v1/sessions/${session}`;
    await send("POST /v1/chat/completions", { model, messages, session, tools });
    await send("GET /v1/sessions");
    await send("GET /v1/sessions/{id}", undefined, at);
    await send("PATCH /v1/sessions/{id}", { metadata: { a: "b" } }, at);
    await send("POST /v1/sessions/{id}/fork", {}, `${at}/fork`);
    const file = await send("GET /v1/sessions/{id}/export", undefined, `${at}/export`);
    await send("POST /v1/sessions/import", file);
    await send("DELETE /v1/sessions/{id}", undefined, at);

    const lines = [{ custom_id: "a", method: "POST", url: "/v1/chat/completions", body: {} }];
    const official = server.openai.withOptions({ apiKey: key });
    const { id: batch, input_file_id: input } = await createBatch(official, lines);
    await send("GET /v1/files");
    await send("GET /v1/files/{id}", undefined, `/v1/files/${input}`);
    const wanted = { input_file_id: input, endpoint: "/v1/completions", completion_window: "24h" };
    await send("POST /v1/batches", wanted);
    await send("GET /v1/batches");
    await send("GET /v1/batches/{id}", undefined, `/v1/batches/${batch}`);
    const good = { ...lines[0], body: { model, messages } };
    const { id: open } = await createBatch(official, [good]);
    await send("POST /v1/batches/{id}/cancel", undefined, `/v1/batches/${open}/cancel`);
    await send("DELETE /v1/files/{id}", undefined, `/v1/files/${input}`);

    for (const path of ["/v1/models", "/v1/usage", "/health", "/ready", "/openapi.json"]) {
      await send(`GET ${path}`);
    }
    await send("GET /v1/models/{id}", undefined, `/v1/models/${model}`);

    const left = operationsOf(openApi).filter((operation) => !client.asked.has(operation));
    // Replies that are no JSON, and what a model of a script does not have.
    expect(left.toSorted()).toEqual([
      "GET /metrics",
      "GET /model",
      "GET /model/{name}",
      "GET /v1/files/{id}/content",
      "POST /v1/embeddings",
      "POST /v1/files",
    ]);
    const refused = await fetch(`${server.url}/v1/usage`);
    const failed = ["components", "responses", "Failed", "content", "application/json"];
    expect(client.conforms(failed, await refused.json())).toBe("yes");
    // And what is wrong is told.
    const place = ["paths", "/health", "get", "responses", "200", "content", "application/json"];
    const health = { status: "ok", waiting: 0 };
    expect(client.conforms(place, health)).toBe("yes");
    expect(client.conforms(place, { ...health, waiting: "0" })).toContain("must be integer");
    expect(client.conforms(place, { ...health, more: 1 })).toContain("additional properties");
  });
});

it("describes embeddings and the files of a model", async () => {
  const server = createServer(await loadServedModel());
  onTestFinished(() => server.close());
  const url = await server.listen({ port: 0 });
  const client = new CheckedClient(url, "none", (await server.inject("/openapi.json")).json());
  for (const encoding_format of ["float", "base64"]) {
    await client.send("POST /v1/embeddings", {
      model: "spark",
      input: ["a", "b"],
      encoding_format,
    });
  }
  await client.send("GET /model");
  await client.send("GET /v1/models");
});
