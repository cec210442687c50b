import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import type OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { openDatabase } from "../../sessions/open-database.ts";
import { tools } from "../../testing/response-tool.ts";
import { model, startScriptedServer, type ScriptedServer } from "../../testing/scripted-server.ts";

const thought = "<think>\nSo be it.\n</think>\n\n";

/** Calls a tool if it has one, says what it was told, or how often it was asked. */
function script(conversation: string): string {
  if (conversation.includes("tool result: 3")) return `${thought}It is 3.`;
  if (conversation.includes("<tools>")) {
    return `${thought}Wait.\n<tool_calls>\n{"name": "add", "arguments": {"a": 1}}\n</tool_calls>`;
  }
  if (conversation.includes("pirate")) return "Arr.";
  return `${thought}${conversation.split("user name=user").length - 1} asked.`;
}

let server: ScriptedServer;
let openai: OpenAI;
beforeAll(async () => {
  await selectBackend("cpu");
  server = await startScriptedServer({ script, context: 4000 });
  ({ openai } = server);
});
afterAll(() => server?.close());

const create = (more: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>) =>
  openai.responses.create({ model, input: "hi", temperature: 0, ...more });

describe("responses", () => {
  it("answer with thought and text as items, and usage", async () => {
    const response = await create({});
    expect(response.output_text).toBe("1 asked.");
    expect(response).toMatchObject({
      object: "response",
      status: "completed",
      model,
      output: [
        { type: "reasoning", content: [{ type: "reasoning_text", text: "So be it." }] },
        { type: "message", role: "assistant", status: "completed" },
      ],
    });
    const { usage } = response;
    expect(usage!.output_tokens_details.reasoning_tokens).toBeGreaterThan(3);
    expect(usage!.total_tokens).toBe(usage!.input_tokens + usage!.output_tokens);
  });

  it("go on from an earlier one, whose instructions do not hold any longer", async () => {
    const first = await create({ instructions: "Talk like a pirate." });
    expect(first.output_text).toBe("Arr.");
    const second = await create({ input: "again", previous_response_id: first.id });
    expect(second.output_text).toBe("2 asked.");
    const third = await create({ previous_response_id: second.id, store: false });
    expect(third.output_text).toBe("3 asked.");
    await expect(create({ previous_response_id: third.id })).rejects.toMatchObject({ status: 404 });
    expect(await openai.responses.retrieve(second.id)).toMatchObject({ id: second.id });
    await openai.responses.delete(second.id);
    await expect(openai.responses.retrieve(second.id)).rejects.toMatchObject({ status: 404 });
  });

  it("tell what they answer, in pages, those of earlier ones too", async () => {
    const { id: first } = await create({ input: "one" });
    const call = { type: "function_call" as const, call_id: "c", name: "add", arguments: "{}" };
    const result = { type: "function_call_output" as const, call_id: "c", output: "0" };
    const { id } = await create({
      previous_response_id: first,
      input: [call, result, { role: "user", content: "two" }],
    });
    const all: OpenAI.Responses.ResponseItem[] = [];
    for await (const item of openai.responses.inputItems.list(id, { limit: 2 })) all.push(item);
    expect(all.toReversed()).toMatchObject([
      { type: "message", role: "user", content: [{ type: "input_text", text: "one" }] },
      { type: "reasoning" },
      { type: "message", role: "assistant", content: [{ text: "1 asked." }] },
      call,
      result,
      { type: "message", role: "user", content: [{ type: "input_text", text: "two" }] },
    ]);
    expect(new Set(all.map((item) => item.id)).size).toBe(all.length);
    const { data } = await openai.responses.inputItems.list(id, { order: "asc" });
    expect(data).toEqual(all.toReversed());
    for (const query of [{ after: "nowhere" }, { limit: 0 }]) {
      const asked = openai.responses.inputItems.list(id, query);
      await expect(asked).rejects.toMatchObject({ status: 400, param: Object.keys(query)[0] });
    }
  });

  it("go on after the server was started again, with a database", async () => {
    const data = mkdtempSync(join(tmpdir(), "levin-responses-"));
    onTestFinished(() => rmSync(data, { recursive: true }));
    const start = async () =>
      startScriptedServer({ script, context: 4000, database: await openDatabase({ data }) });
    const before = await start();
    const first = await before.openai.responses.create({ model, input: "hi", temperature: 0 });
    await before.close();
    const after = await start();
    const question = { model, input: "again", temperature: 0, previous_response_id: first.id };
    expect((await after.openai.responses.create(question)).output_text).toBe("2 asked.");
    expect((await after.openai.responses.retrieve(first.id)).output).toEqual(first.output);
    await after.close();
  });

  it("stream events in the official order, numbered, with the whole response at the end", async () => {
    const whole = await create({ tools });
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    const stream = openai.responses.stream({ model, input: "hi", temperature: 0, tools });
    for await (const event of stream) events.push(event);
    const runs = events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
    const item = (...middle: string[]) => [
      "response.output_item.added",
      ...middle.map((name) => `response.${name}`),
      "response.output_item.done",
    ];
    const part = (name: string) =>
      item("content_part.added", `${name}.delta`, `${name}.done`, "content_part.done");
    expect(runs).toEqual([
      "response.created",
      "response.in_progress",
      ...part("reasoning_text"),
      ...part("output_text"),
      ...item("function_call_arguments.delta", "function_call_arguments.done"),
      "response.completed",
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(whole.output_text);
    expect(final.output.map(({ type }) => type)).toEqual(whole.output.map(({ type }) => type));
  });

  it("call functions, and read their results as items or after the earlier response", async () => {
    const first = await create({ tools });
    const call = first.output.find((item) => item.type === "function_call")!;
    expect(call).toMatchObject({ name: "add", arguments: '{"a": 1}', status: "completed" });
    const result = { type: "function_call_output" as const, call_id: call.call_id, output: "3" };
    const next = await create({ tools, previous_response_id: first.id, input: [result] });
    expect(next.output_text).toBe("It is 3.");
    const items = await create({
      tools,
      input: [
        { role: "user", content: "hi" },
        ...(first.output as OpenAI.Responses.ResponseInputItem[]),
        result,
      ],
    });
    expect(items.output_text).toBe("It is 3.");
    expect(items.usage!.input_tokens).toBe(next.usage!.input_tokens);
  });

  it("tell the log-probabilities of their text if asked, whole and streamed", async () => {
    const request = {
      model,
      input: "hi",
      temperature: 0,
      top_logprobs: 2,
      include: ["message.output_text.logprobs" as const],
    };
    const textOf = (response: OpenAI.Responses.Response) => {
      const message = response.output.find((item) => item.type === "message");
      return message!.content[0] as OpenAI.Responses.ResponseOutputText;
    };
    const part = textOf(await create(request));
    expect(part.logprobs!.map(({ token }) => token).join("")).toBe(part.text);
    for (const { logprob, top_logprobs: top } of part.logprobs!) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(top).toHaveLength(2);
    }
    const stream = openai.responses.stream(request);
    const streamed: unknown[] = [];
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") streamed.push(...event.logprobs);
    }
    expect(streamed).toEqual(part.logprobs);
    expect(textOf(await stream.finalResponse()).logprobs).toEqual(part.logprobs);
    expect(textOf(await create({})).logprobs).toEqual([]);
  });

  it("call only what they are allowed to", async () => {
    const now: OpenAI.Responses.FunctionTool = {
      type: "function",
      name: "now",
      parameters: null,
      strict: null,
    };
    const choice = {
      type: "allowed_tools" as const,
      mode: "required" as const,
      tools: [{ type: "function", name: "now" }],
    };
    const { output } = await create({ tools: [...tools, now], tool_choice: choice });
    const calls = output.filter((item) => item.type === "function_call");
    expect(calls.length).toBeGreaterThan(0);
    for (const { name } of calls) expect(name).toBe("now");
  });

  it("keep to a form", async () => {
    const format = zodTextFormat(z.object({ ok: z.boolean() }), "check");
    const parsed = await openai.responses.parse({
      model,
      input: "hi",
      text: { format },
      seed: 1,
    } as never);
    expect(parsed.output_parsed).toEqual({ ok: expect.any(Boolean) });
  });

  it("are incomplete at the token limit", async () => {
    const response = await create({ max_output_tokens: 16, input: "hi" });
    expect(response.usage!.output_tokens).toBe(16);
    expect(response).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
    });
  });

  it.each([
    [{ input: [] }, "input"],
    [{ input: [{ type: "item_reference", id: "x" }] }, "input"],
    [{ input: [{ role: "user", content: [{ type: "input_image" }] }] }, "input"],
    [{ conversation: "c" }, "conversation"],
    [{ background: true }, "background"],
    [{ truncation: "auto" }, "truncation"],
    [{ top_logprobs: 21 }, "top_logprobs"],
    [{ include: ["everything"] }, "include[0]"],
    [{ tools: [{ type: "web_search" }] }, "tools[0].type"],
    [{ text: { format: { type: "json_schema", schema: { not: {} } } } }, "text.format"],
    [{ input: "word ".repeat(5000) }, "input"],
    [{ messages: [] }, "messages"],
  ])("refuse %j", async (wrong, param) => {
    const { status, error } = await server.post("/v1/responses", { model, input: "hi", ...wrong });
    expect({ status, error }).toMatchObject({ status: 400, error: { param } });
  });
});
