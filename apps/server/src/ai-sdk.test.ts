import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { selectBackend } from "@levin/kernels/node";
import { embed, generateText, isStepCount, Output, streamText, tool } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createServer, loadServedModel } from "./index.ts";
import { startScriptedServer, type ScriptedServer } from "./testing/scripted-server.ts";

/** Asks a tool for the sum unless it has it, or says it in JSON where that is asked for. */
function script(conversation: string): string {
  const thought = "<think>\nA sum.\n</think>\n\n";
  if (conversation.includes("tool result")) return `${thought}It is 42.`;
  if (conversation.includes("<tools>")) {
    return `${thought}<tool_calls>\n{"name": "add", "arguments": {"a": 12, "b": 30}}\n</tool_calls>`;
  }
  return `${thought}{"sum": 42}`;
}

const prompt = "What is 12 plus 30?";
const add = tool({
  description: "Adds two numbers.",
  inputSchema: z.object({ a: z.int(), b: z.int() }),
  execute: ({ a, b }) => a + b,
});

const provider = (url: string) =>
  createOpenAICompatible({
    name: "levin",
    baseURL: `${url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });

describe("Vercel's AI SDK", () => {
  let server: ScriptedServer;
  let levin: ReturnType<typeof provider>;
  beforeAll(async () => {
    await selectBackend("cpu");
    server = await startScriptedServer({ script, context: 4000 });
    levin = provider(server.url);
  });
  afterAll(() => server?.close());

  it("gets the text apart from its reasoning, whole and streamed", async () => {
    const question = { model: levin("scripted"), prompt, temperature: 0 };
    const whole = await generateText(question);
    expect(whole.text).toBe('{"sum": 42}');
    expect(whole.reasoningText).toBe("A sum.");
    expect(whole.finishReason).toBe("stop");
    const stream = streamText(question);
    let text = "";
    for await (const piece of stream.textStream) text += piece;
    expect(text).toBe(whole.text);
    expect(await stream.reasoningText).toBe("A sum.");
    expect((await stream.usage).outputTokens).toBe(whole.usage.outputTokens);
  });

  it("gets an object of its schema", async () => {
    const schema = z.object({ sum: z.int().min(0), note: z.string().max(10).optional() });
    const question = { model: levin("scripted"), prompt, temperature: 0 };
    const { output } = await generateText({ ...question, output: Output.object({ schema }) });
    expect(output).toEqual({ sum: 42 });
  });

  it("calls tools and hands their results back, whole and streamed", async () => {
    const question = {
      model: levin("scripted"),
      prompt,
      temperature: 0,
      tools: { add },
      stopWhen: isStepCount(3),
    };
    const whole = await generateText(question);
    expect(whole.steps.map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "stop"]);
    expect(whole.steps[0]!.toolResults).toMatchObject([{ toolName: "add", output: 42 }]);
    expect(whole.text).toBe("It is 42.");
    const stream = streamText(question);
    await stream.consumeStream();
    expect((await stream.steps)[0]!.toolCalls).toMatchObject([{ input: { a: 12, b: 30 } }]);
    expect(await stream.text).toBe("It is 42.");
  });
});

describe("Vercel's AI SDK with spark", () => {
  let app: ReturnType<typeof createServer>;
  let levin: ReturnType<typeof provider>;
  beforeAll(async () => {
    app = createServer(await loadServedModel());
    levin = provider(await app.listen({ port: 0, host: "127.0.0.1" }));
  });
  afterAll(() => app?.close());

  it("gets right answers, calls that must be made, and embeddings", async () => {
    const question = { model: levin("spark"), prompt, temperature: 0 };
    expect((await generateText(question)).text).toBe("42");
    const called = await generateText({
      ...question,
      tools: { add: tool({ inputSchema: z.object({ a: z.int(), b: z.int() }) }) },
      toolChoice: "required",
    });
    expect(called.toolCalls[0]).toMatchObject({
      toolName: "add",
      input: { a: expect.any(Number), b: expect.any(Number) },
    });
    const model = levin.embeddingModel("spark");
    const { embedding } = await embed({ model, value: prompt });
    expect(Math.hypot(...embedding)).toBeCloseTo(1, 4);
  });
});
