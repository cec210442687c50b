import { selectBackend } from "@levin/kernels/node";
import { m1SpecialTokens, Tokenizer, trainTokenizer } from "@levin/tokenizer";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createServer } from "../index.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import {
  ask,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";

const two =
  '<tool_calls>\n{"name": "add", "arguments": {"a": 1, "b": 2}}\n{"name": "now", "arguments": {}}\n</tool_calls>';

/** Calls both tools, unless it is told what they said. */
function script(conversation: string): string {
  const thought = "<think>\nI need help.\n</think>\n\n";
  if (conversation.includes("tool result: 3")) return `${thought}It is 3.`;
  if (conversation.includes("chat")) return `${thought}Just words.`;
  return `${thought}Let me see.\n${two}`;
}

let server: ScriptedServer;
let openai: OpenAI;
beforeAll(async () => {
  await selectBackend("cpu");
  server = await startScriptedServer({ script, context: 4000 });
  ({ openai } = server);
});
afterAll(() => server?.close());

const tools: OpenAI.ChatCompletionFunctionTool[] = [
  {
    type: "function",
    function: {
      name: "add",
      description: "Adds two numbers.",
      parameters: {
        type: "object",
        properties: { a: { type: "integer" }, b: { type: "integer", minimum: 0, maximum: 9 } },
        required: ["a", "b"],
        additionalProperties: false,
      },
    },
  },
  { type: "function", function: { name: "now" } },
];

const create = (more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>) =>
  openai.chat.completions.create({
    model,
    messages: ask("What is 1 plus 2?"),
    temperature: 0,
    tools,
    ...more,
  });

const callsOf = (reply: OpenAI.ChatCompletion) =>
  (reply.choices[0]!.message.tool_calls ?? []) as OpenAI.ChatCompletionMessageFunctionToolCall[];

describe("tools", () => {
  it("are called in OpenAI's form, several at once, beside text and thought", async () => {
    const reply = await create({});
    const [choice] = reply.choices;
    expect(choice!.finish_reason).toBe("tool_calls");
    expect(choice!.message).toMatchObject({
      content: "Let me see.",
      reasoning_content: "I need help.",
    });
    expect(callsOf(reply)).toMatchObject([
      { type: "function", function: { name: "add", arguments: '{"a": 1, "b": 2}' } },
      { type: "function", function: { name: "now", arguments: "{}" } },
    ]);
    expect(new Set(callsOf(reply).map(({ id }) => id)).size).toBe(2);
  });

  it("stream their calls in pieces that the client puts together", async () => {
    const whole = await create({});
    const runner = openai.chat.completions.stream({
      model,
      messages: ask("What is 1 plus 2?"),
      temperature: 0,
      tools,
    });
    let pieces = 0;
    runner.on("tool_calls.function.arguments.delta", () => (pieces += 1));
    const { choices } = await runner.finalChatCompletion();
    const functions = (
      choices[0]!.message.tool_calls as OpenAI.ChatCompletionMessageFunctionToolCall[]
    ).map((call) => call.function);
    const known = callsOf(whole).map((call) => call.function);
    expect(functions.map(({ name, arguments: json }) => ({ name, arguments: json }))).toEqual(
      known,
    );
    expect(choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { content: "Let me see." },
    });
    expect(pieces).toBeGreaterThan(5);
  });

  it("are described to the model, and their results go back to it by the id of the call", async () => {
    const first = await create({});
    const reply = await create({
      messages: [
        ...ask("What is 1 plus 2?"),
        first.choices[0]!.message,
        { role: "tool", tool_call_id: callsOf(first)[0]!.id, content: "3" },
        { role: "tool", tool_call_id: callsOf(first)[1]!.id, content: "12:00" },
      ],
    });
    expect(reply.choices[0]!.message.content).toBe("It is 3.");
    expect(reply.choices[0]!.finish_reason).toBe("stop");
    const without = await create({ tool_choice: "none" });
    expect(without.usage!.prompt_tokens).toBeLessThan(first.usage!.prompt_tokens - 20);
    expect(without.choices[0]!.message.content).toContain("<tool_calls>");
  });

  it("are called where they must be, with arguments of their schema, whatever the model wants", async () => {
    const messages = ask("Let us chat.");
    expect((await create({ messages })).choices[0]!.message.content).toBe("Just words.");
    for (let seed = 0; seed < 3; seed++) {
      const drawn = { messages, seed, temperature: 1.5 };
      for (const call of callsOf(await create({ ...drawn, tool_choice: "required" }))) {
        expect(["add", "now"]).toContain(call.function.name);
      }
      const named = await create({
        ...drawn,
        tool_choice: { type: "function", function: { name: "add" } },
      });
      expect(callsOf(named)).toHaveLength(1);
      const { a, b } = JSON.parse(callsOf(named)[0]!.function.arguments) as {
        a: number;
        b: number;
      };
      expect([Number.isInteger(a), b >= 0 && b <= 9]).toEqual([true, true]);
    }
  });

  it("are called one at a time where calls in parallel are not wanted", async () => {
    const reply = await create({ parallel_tool_calls: false });
    expect(callsOf(reply)).toHaveLength(1);
  });

  it("may be narrowed down for an answer, while the model is told of all", async () => {
    const allowed = (mode: "auto" | "required", ...names: string[]) => ({
      type: "allowed_tools" as const,
      allowed_tools: {
        mode,
        tools: names.map((name) => ({ type: "function", function: { name } })),
      },
    });
    const ofAll = { model, messages: ask("go"), tools, temperature: 0 };
    const all = await openai.chat.completions.create(ofAll);
    for (const mode of ["auto", "required"] as const) {
      const reply = await openai.chat.completions.create({
        ...ofAll,
        tool_choice: allowed(mode, "now"),
      });
      const calls = reply.choices[0]!.message.tool_calls!;
      expect(calls.length).toBeGreaterThan(0);
      for (const call of calls) expect(call).toMatchObject({ function: { name: "now" } });
      expect(reply.usage!.prompt_tokens).toBe(all.usage!.prompt_tokens);
    }
    const unknown = { ...ofAll, tool_choice: allowed("auto", "now", "then") };
    await expect(openai.chat.completions.create(unknown)).rejects.toMatchObject({
      status: 400,
      param: "tool_choice",
      message: expect.stringContaining('"then"') as string,
    });
  });

  it("and a form of the answer leave the model the choice between them", async () => {
    const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
    const response_format = {
      type: "json_schema" as const,
      json_schema: { name: "answer", schema, strict: true },
    };
    for (let seed = 0; seed < 3; seed++) {
      const reply = await create({ response_format, seed, temperature: 1.5 });
      const { content } = reply.choices[0]!.message;
      if (callsOf(reply).length === 0)
        expect(JSON.parse(content!)).toEqual({ ok: expect.any(Boolean) });
      else expect(content).toBeNull();
    }
  });

  it.each([
    [{ tool_choice: "required", tools: [] }, "tool_choice"],
    [{ tool_choice: { type: "function", function: { name: "none" } } }, "tool_choice"],
    [{ tools: [{ type: "code_interpreter" }] }, "tools[0].type"],
    [{ tools: [{ type: "function", function: { name: "a b" } }] }, "tools[0].function.name"],
    [
      {
        tools: [
          {
            type: "function",
            function: { name: "f", strict: true, parameters: { minProperties: 1 } },
          },
        ],
      },
      "tools: f",
    ],
  ])("that cannot be used are refused: %j", async (wrong, param) => {
    await expect(create(wrong as object)).rejects.toMatchObject({ status: 400, param });
  });

  it("with a schema that cannot be kept are still called, if it is not strict", async () => {
    const loose = [
      { type: "function" as const, function: { name: "add", parameters: { not: {} } } },
    ];
    expect(callsOf(await create({ tools: loose }))[0]!.function.name).toBe("add");
  });

  it("answer a result of no call with a clear error", async () => {
    const messages = [...ask("x"), { role: "tool" as const, tool_call_id: "no", content: "3" }];
    await expect(create({ messages })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("tool_call_id"),
    });
  });
});

describe.each([true, false])("marks that are added tokens, special: %s", (special) => {
  it("are said as tokens, and read as calls", async () => {
    const specialTokens = [...m1SpecialTokens, "<tool_calls>", "</tool_calls>"];
    const file = trainTokenizer([two], { vocabSize: 320, specialTokens });
    for (const token of file.added_tokens) {
      if (token.content.includes("tool_calls")) token.special = special;
    }
    const tokenizer = Tokenizer.fromJson(file);
    const app = createServer(scriptedModel(script, { context: 4000, tokenizer }));
    onTestFinished(() => app.close());
    const client = new OpenAI({
      baseURL: `${await app.listen({ port: 0 })}/v1`,
      apiKey: "none",
      maxRetries: 0,
    });
    const request = { model, messages: ask("go"), tools, temperature: 0, logprobs: true };
    const [free] = (await client.chat.completions.create(request)).choices;
    expect(free!.finish_reason).toBe("tool_calls");
    expect(free!.message.content).toBe("Let me see.");
    expect(free!.message.tool_calls).toMatchObject([
      { function: { name: "add", arguments: '{"a": 1, "b": 2}' } },
      { function: { name: "now", arguments: "{}" } },
    ]);
    const said = free!.logprobs!.content!.map(({ token }) => token);
    expect(said.filter((token) => token.includes("tool_calls"))).toEqual([
      "<tool_calls>",
      "</tool_calls>",
    ]);
    const required = { ...request, tool_choice: "required" as const, parallel_tool_calls: false };
    const [forced] = (await client.chat.completions.create(required)).choices;
    expect(forced!.message.content).toBeNull();
    expect(forced!.message.tool_calls).toHaveLength(1);
    // The conversation goes on, and what is said without tools is text.
    const next = await client.chat.completions.create({
      model,
      messages: ask("chat"),
      tools,
      temperature: 0,
    });
    expect(next.choices[0]!.message.content).toBe("Just words.");
  });
});
