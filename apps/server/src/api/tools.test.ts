import { selectBackend } from "@levin/kernels/node";
import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
