import { Validator } from "@seriousme/openapi-schema-validator";
import { selectBackend } from "@levin/kernels/node";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "../index.ts";
import { scriptedModel } from "../testing/scripted-model.ts";

interface Operation {
  summary: string;
  requestBody?: { content: { "application/json": { schema: Record<string, unknown> } } };
}

let app: FastifyInstance;
let document: { paths: Record<string, Record<string, Operation>> };
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

describe("the OpenAPI document", () => {
  it("is valid", async () => {
    const result = await new Validator().validate(document);
    expect(result).toMatchObject({ valid: true });
  });

  it("has every route of the API, and says what each is for", () => {
    const expected = routesOf(app)
      .map((route) => route.replace("/v1/models*", "/v1/models/{id}"))
      .filter((route) => !/^(HEAD|OPTIONS) |\*/.test(route));
    const found = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(expected.length).toBeGreaterThan(10);
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
