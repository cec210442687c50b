import { selectBackend } from "@levin/kernels/node";
import type OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  ask,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";

const thought = "<think>\nNo JSON here.\n</think>\n\n";

let server: ScriptedServer;
let openai: OpenAI;
beforeAll(async () => {
  await selectBackend("cpu");
  const script = (conversation: string) =>
    conversation.includes("words")
      ? `${thought}Only words.`
      : `${thought}{"sum": 3, "steps": ["1", "2"]}`;
  server = await startScriptedServer({ script, context: 4000 });
  ({ openai } = server);
});
afterAll(() => server?.close());

const Sum = z.object({ sum: z.int(), steps: z.array(z.string().max(5)).max(3) });

describe("answers of a form", () => {
  it("are parsed by the client's own helper, after a free thought", async () => {
    const reply = await openai.chat.completions.parse({
      model,
      messages: ask("1 + 2?"),
      temperature: 0,
      response_format: zodResponseFormat(Sum, "sum"),
    });
    const { message } = reply.choices[0]!;
    expect(message.parsed).toEqual({ sum: 3, steps: ["1", "2"] });
    expect(message).toMatchObject({ reasoning_content: "No JSON here." });
  });

  it.each<[object, RegExp]>([
    [{ choice: ["positive", "negative"] }, /^(positive|negative)$/],
    [{ regex: "[A-Z]{2}-\\d{3}" }, /^[A-Z]{2}-\d{3}$/],
    [{ json: { type: "integer", minimum: 5, maximum: 7 } }, /^[567]$/],
    [{ json: '{"enum": ["a", "b"]}' }, /^"[ab]"$/],
    [{ json_object: true }, /^\{[^]*\}$/],
  ])("have the form that vLLM's clients ask for: %j", async (structured_outputs, form) => {
    const request = { model, messages: ask("words"), temperature: 0 };
    const extended = { ...request, structured_outputs };
    const { choices } = await openai.chat.completions.create(extended);
    expect(choices[0]!.message.content).toMatch(form);
    expect(choices[0]!.finish_reason).toBe("stop");
  });

  it.each<[object, RegExp]>([
    [{ structured_outputs: {} }, /expected one of choice, regex, json and json_object/],
    [{ structured_outputs: { choice: ["a"], regex: "b" } }, /expected one of/],
    [{ structured_outputs: { grammar: "root ::= x" } }, /structured_outputs.*grammar/],
    [{ structured_outputs: { regex: "(" } }, /structured_outputs: pattern/],
    [{ structured_outputs: { json: "{" } }, /found broken JSON/],
    [
      { structured_outputs: { choice: ["a"] }, response_format: { type: "json_object" } },
      /expected none beside response_format/,
    ],
  ])("have one form that can be kept: not %j", async (wrong, message) => {
    const body = { model, messages: ask("words"), ...wrong };
    const { status, error } = await server.post("/v1/chat/completions", body);
    expect(status).toBe(400);
    expect(JSON.stringify(error)).toMatch(message);
  });

  it("satisfy the schema whatever the model wants to say, streamed too", async () => {
    const stream = await openai.chat.completions.create({
      model,
      messages: ask("words"),
      response_format: zodResponseFormat(Sum, "sum"),
      temperature: 1.5,
      seed: 3,
      stream: true,
    });
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    expect(Sum.parse(JSON.parse(text))).toBeTypeOf("object");
  });

  it("are any object for json_object, in text completions too", async () => {
    const chat = await openai.chat.completions.create({
      model,
      messages: ask("1 + 2?"),
      temperature: 0,
      response_format: { type: "json_object" },
    });
    expect(JSON.parse(chat.choices[0]!.message.content!)).toEqual({ sum: 3, steps: ["1", "2"] });
    const more = { response_format: { type: "json_object" } };
    const text = await openai.completions.create({ model, prompt: "x", temperature: 0, ...more });
    expect(JSON.parse(text.choices[0]!.text)).toBeTypeOf("object");
  });

  it("are refused where they cannot be kept, naming the keyword", async () => {
    const format = (schema: object) => ({
      type: "json_schema",
      json_schema: { name: "x", schema, strict: true },
    });
    for (const [response_format, words] of [
      [
        format({ type: "object", properties: { a: { multipleOf: 2, type: "integer" } } }),
        "properties.a.multipleOf",
      ],
      [format({ type: "string", pattern: "(" }), "pattern"],
      [{ type: "xml" }, "json_object"],
    ] as const) {
      const { status, error } = await server.post("/v1/chat/completions", {
        model,
        messages: ask("x"),
        response_format,
      });
      expect(status).toBe(400);
      expect(error).toMatchObject({ param: expect.stringContaining("response_format") });
      expect((error as { message: string }).message).toContain(words);
    }
  });
});

describe("several answers", () => {
  it("share one reading of the prompt, and count it once", async () => {
    const ask1 = { model, messages: ask("Several words, please"), temperature: 1.8, seed: 1 };
    const before = server.steps();
    const one = await openai.chat.completions.create({ ...ask1, max_tokens: 20 });
    const oneSteps = server.steps() - before;
    const several = await openai.chat.completions.create({ ...ask1, n: 4, max_tokens: 20 });
    expect(several.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(several.usage!.prompt_tokens).toBe(one.usage!.prompt_tokens);
    expect(several.usage!.completion_tokens).toBe(80);
    // Moved on together: four answers take hardly more steps than one.
    expect(server.steps() - before - oneSteps).toBeLessThan(2 * oneSteps);
    const texts = several.choices.map(({ message }) => JSON.stringify(message));
    expect(texts[0]).toBe(JSON.stringify(one.choices[0]!.message));
    expect(new Set(texts).size).toBeGreaterThan(1);
  });

  it("are streamed side by side", async () => {
    const stream = await openai.chat.completions.create({
      model,
      messages: ask("words"),
      temperature: 0,
      n: 3,
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = ["", "", ""];
    const ends = new Set<number>();
    let usage;
    for await (const chunk of stream) {
      for (const { index, delta, finish_reason: end } of chunk.choices) {
        texts[index] += delta.content ?? "";
        if (end) ends.add(index);
      }
      usage = chunk.usage;
    }
    expect(texts).toEqual(Array(3).fill("Only words."));
    expect(ends.size).toBe(3);
    expect(usage!.completion_tokens).toBeGreaterThan(30);
  });

  it("come to several prompts, and the likeliest of many", async () => {
    const prompt = ["words", "sums"];
    const plain = await openai.completions.create({ model, prompt, temperature: 0, n: 2 });
    expect(plain.choices.map(({ text }) => text)).toEqual([
      "Only words.",
      "Only words.",
      '{"sum": 3, "steps": ["1", "2"]}',
      '{"sum": 3, "steps": ["1", "2"]}',
    ]);
    const drawn = {
      model,
      prompt: "words",
      temperature: 1.8,
      seed: 5,
      max_tokens: 12,
      thinking_budget: 0,
    };
    const score = (logprobs: OpenAI.Completions.CompletionChoice.Logprobs | null): number =>
      logprobs!.token_logprobs!.reduce((sum, one) => sum + one, 0) / logprobs!.tokens!.length;
    const all = await openai.completions.create({ ...drawn, n: 6, logprobs: 0 });
    const best = await openai.completions.create({ ...drawn, n: 2, best_of: 6, logprobs: 0 });
    const scores = all.choices.map(({ logprobs }) => score(logprobs)).toSorted((a, b) => b - a);
    expect(best.choices.map(({ logprobs }) => score(logprobs))).toEqual(scores.slice(0, 2));
    expect(best.usage!.completion_tokens).toBe(all.usage!.completion_tokens);
  });

  it("are refused in numbers that make no sense", async () => {
    for (const [body, param] of [
      [{ n: 0 }, "n"],
      [{ n: 17 }, "n"],
      [{ n: 3, best_of: 2 }, "best_of"],
      [{ best_of: 3, stream: true }, "best_of"],
      [{ prompt: [] }, "prompt"],
    ] as const) {
      const { status, error } = await server.post("/v1/completions", {
        model,
        prompt: "x",
        ...body,
      });
      expect({ status, error }).toMatchObject({ status: 400, error: { param } });
    }
  });
});
