import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../sessions/open-database.ts";
import { tools } from "../testing/response-tool.ts";
import { model, startScriptedServer, type ScriptedServer } from "../testing/scripted-server.ts";
import { startUpstreamServer, type UpstreamServer } from "../testing/upstream-server.ts";

/** Calls a tool if it has one, says what it was told, or how often it was asked. */
function script(conversation: string): string {
  if (conversation.includes("tool result: 3")) return "It is 3.";
  if (conversation.includes("<tools>")) {
    return 'Wait.\n<tool_calls>\n{"name": "add", "arguments": {"a": 1}}\n</tool_calls>';
  }
  if (conversation.includes("pirate")) return "Arr.";
  return `<think>\nhm\n</think>\n\n${conversation.split("user name=user").length - 1} asked.`;
}

let engines: ScriptedServer[];
let front: UpstreamServer;
beforeAll(async () => {
  await selectBackend("cpu");
  const start = () => startScriptedServer({ script, context: 4000 });
  engines = [await start(), await start()];
  front = await startUpstreamServer(engines.map(({ url }) => url));
});
afterAll(async () => {
  await front?.close();
  await Promise.all(engines?.map((engine) => engine.close()) ?? []);
});

type Body = Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>;
const create = (more: Body, { openai } = front) =>
  openai.responses.create({ model, input: "hi", temperature: 0, ...more });

describe("responses before two Levin servers", () => {
  it("answer as those do, and go on from each other whichever of them answered", async () => {
    const steps = () => engines.map((engine) => engine.steps() > 0);
    let last = await create({ instructions: "Talk like a pirate." });
    expect(last.output_text).toBe("Arr.");
    for (const n of [2, 3, 4, 5]) {
      last = await create({ input: "again", previous_response_id: last.id });
      expect(last.output_text).toBe(`${n} asked.`);
    }
    expect(steps()).toEqual([true, true]);
    const direct = await engines[0]!.openai.responses.create({
      model,
      input: "hi",
      temperature: 0,
    });
    const { id, output, usage } = await create({});
    const parts = (items: OpenAI.Responses.ResponseOutputItem[]) =>
      items.map((item) => ("content" in item ? item.content : item.type));
    expect(parts(output)).toEqual(parts(direct.output));
    expect(usage).toMatchObject({
      input_tokens: direct.usage!.input_tokens,
      output_tokens: direct.usage!.output_tokens,
      output_tokens_details: direct.usage!.output_tokens_details,
    });
    const { data } = await front.openai.responses.inputItems.list(last.id);
    // Five questions and four answers, three of them behind a thought.
    expect(data).toHaveLength(12);
    expect(await front.openai.responses.retrieve(id)).toMatchObject({ id, output });
    await front.openai.responses.delete(id);
    await expect(create({ previous_response_id: id })).rejects.toMatchObject({ status: 404 });
  });

  it("stream in the official order", async () => {
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    const stream = front.openai.responses.stream({ model, input: "hi", temperature: 0 });
    for await (const event of stream) events.push(event);
    const runs = events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
    const part = (name: string) => [
      "response.output_item.added",
      "response.content_part.added",
      `response.${name}.delta`,
      `response.${name}.done`,
      "response.content_part.done",
      "response.output_item.done",
    ];
    expect(runs).toEqual([
      "response.created",
      "response.in_progress",
      ...part("reasoning_text"),
      ...part("output_text"),
      "response.completed",
    ]);
    const { output_text: text, id } = await stream.finalResponse();
    expect(text).toBe("1 asked.");
    expect((await create({ previous_response_id: id })).output_text).toBe("2 asked.");
  });

  it("call functions, read their results, keep to a form, and end at a limit", async () => {
    const first = await create({ tools, tool_choice: { type: "function", name: "add" } });
    const call = first.output.find((item) => item.type === "function_call")!;
    expect(call.name).toBe("add");
    expect(JSON.parse(call.arguments)).toEqual({ a: 1 });
    const result = { type: "function_call_output" as const, call_id: call.call_id, output: "3" };
    const next = await create({ tools, previous_response_id: first.id, input: [result] });
    expect(next.output_text).toBe("It is 3.");
    const schema = {
      type: "object",
      properties: { ok: { type: "boolean" } },
      required: ["ok"],
      additionalProperties: false,
    };
    const format = { type: "json_schema" as const, name: "check", schema };
    const { output_text: json } = await create({ text: { format }, seed: 1 } as Body);
    expect(JSON.parse(json)).toEqual({ ok: expect.any(Boolean) });
    const cut = await create({ max_output_tokens: 3 });
    expect(cut).toMatchObject({ status: "incomplete", usage: { output_tokens: 3 } });
  });

  it.each([
    [{ model: "other" }, 404, "model"],
    [{ input: [] }, 400, "input"],
    [{ background: true }, 400, "background"],
    [{ conversation: "c" }, 400, "conversation"],
    [{ previous_response_id: "none" }, 404, "previous_response_id"],
    [{ input: "word ".repeat(5000) }, 400, "messages"],
  ])("are refused when they are wrong (%#)", async (wrong, status, param) => {
    await expect(create(wrong as Body)).rejects.toMatchObject({ status, param });
  });

  it("tell log-probabilities, and call only what they are allowed to", async () => {
    const asked = { include: ["message.output_text.logprobs" as const], top_logprobs: 1 };
    const direct = await engines[0]!.openai.responses.create({
      model,
      input: "hi",
      temperature: 0,
      ...asked,
    });
    const partOf = (response: OpenAI.Responses.Response) => {
      const message = response.output.find((item) => item.type === "message");
      return message!.content[0] as OpenAI.Responses.ResponseOutputText;
    };
    const part = partOf(await create(asked));
    expect(part).toEqual(partOf(direct));
    expect(part.logprobs).not.toEqual([]);
    const now = { ...tools[0]!, name: "now", parameters: null };
    const called = await create({
      tools: [...tools, now],
      tool_choice: {
        type: "allowed_tools",
        mode: "required",
        tools: [{ type: "function", name: "now" }],
      },
    });
    const calls = called.output.filter((item) => item.type === "function_call");
    expect(new Set(calls.map(({ name }) => name))).toEqual(new Set(["now"]));
  });

  it("are there after the server was started again, with a database", async () => {
    const data = mkdtempSync(join(tmpdir(), "levin-responses-"));
    onTestFinished(() => rmSync(data, { recursive: true }));
    const start = async () =>
      startUpstreamServer([engines[0]!.url], { database: await openDatabase({ data }) });
    const before = await start();
    const { id } = await create({}, before);
    await before.close();
    const after = await start();
    expect((await create({ previous_response_id: id }, after)).output_text).toBe("2 asked.");
    await after.close();
  });
});
