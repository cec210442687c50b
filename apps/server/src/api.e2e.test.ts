import type { FastifyInstance } from "fastify";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer, loadServedModel } from "./index.ts";

type Reasoned = { reasoning_content?: string };

describe("spark behind the API, asked by the official openai client", () => {
  let app: FastifyInstance;
  let client: OpenAI;

  beforeAll(async () => {
    app = createServer(await loadServedModel());
    const address = await app.listen({ port: 0, host: "127.0.0.1" });
    client = new OpenAI({ baseURL: `${address}/v1`, apiKey: "none", maxRetries: 0 });
  });
  afterAll(() => app?.close());

  const question = [{ role: "user" as const, content: "What is 12 plus 30?" }];
  const settings = { model: "spark", messages: question, temperature: 0 };

  /** As the metrics count them. */
  async function promptTokens(): Promise<number> {
    const { body } = await app.inject("/metrics");
    return Number(/^levin_tokens_total\{kind="prompt"\} (\d+)$/m.exec(body)?.[1] ?? 0);
  }

  it("answers, with the thought apart and its tokens counted", async () => {
    const { choices, usage, model } = await client.chat.completions.create(settings);
    const [choice] = choices;
    expect(model).toBe("spark");
    expect(choice!.message.content).toBe("42");
    expect((choice!.message as Reasoned).reasoning_content).toMatch(/\S/);
    expect(choice!.finish_reason).toBe("stop");
    const reasoning = usage!.completion_tokens_details!.reasoning_tokens!;
    expect(reasoning).toBeGreaterThan(0);
    expect(usage!.completion_tokens).toBeGreaterThan(reasoning);
  });

  it("reads only what is new of a second turn", async () => {
    const first = await client.chat.completions.create(settings);
    const second = await client.chat.completions.create({
      ...settings,
      messages: [
        ...question,
        { role: "assistant", content: first.choices[0]!.message.content },
        { role: "user", content: "What is 5 plus 9?" },
      ],
    });
    const { prompt_tokens: prompt, prompt_tokens_details: details } = second.usage!;
    expect(details!.cached_tokens).toBe(first.usage!.prompt_tokens);
    expect(prompt).toBeGreaterThan(details!.cached_tokens!);
  });

  it("answers many at once as it answers each alone", async () => {
    const answerTo = async (content: string): Promise<unknown> => {
      const messages = [{ role: "user" as const, content }];
      return (await client.chat.completions.create({ ...settings, messages })).choices[0]!.message;
    };
    const questions = Array.from({ length: 12 }, (_, i) => `What is ${i + 3} plus ${41 - 2 * i}?`);
    const together = await Promise.all(questions.map(answerTo));
    for (const [i, content] of questions.entries()) {
      expect(together[i]).toEqual(await answerTo(content));
    }
  });

  it("streams the same answer and thought in pieces, then the usage", async () => {
    const whole = await client.chat.completions.create(settings);
    const stream = await client.chat.completions.create({
      ...settings,
      stream: true,
      stream_options: { include_usage: true },
    });
    let [content, thought, pieces, total] = ["", "", 0, 0];
    for await (const chunk of stream) {
      const delta = chunk.choices[0]?.delta as (Reasoned & { content?: string }) | undefined;
      content += delta?.content ?? "";
      thought += delta?.reasoning_content ?? "";
      total = chunk.usage?.total_tokens ?? total;
      pieces += 1;
    }
    expect(pieces).toBeGreaterThan(5);
    expect(content).toBe(whole.choices[0]!.message.content);
    expect(thought).toBe((whole.choices[0]!.message as Reasoned).reasoning_content);
    expect(total).toBe(whole.usage!.total_tokens);
  });

  it("keeps to seeds and thinking budgets", async () => {
    const drawn = { ...settings, seed: 3, temperature: 1.5 };
    const first = await client.chat.completions.create(drawn);
    const again = await client.chat.completions.create(drawn);
    expect(again.choices[0]!.message).toEqual(first.choices[0]!.message);
    const budget = { ...settings, thinking_budget: 7 };
    const brief = await client.chat.completions.create(budget);
    expect(brief.usage!.completion_tokens_details!.reasoning_tokens).toBe(7);
  });

  it("describes itself among the models", async () => {
    const { data } = await client.models.list();
    expect(data).toMatchObject([{ id: "spark", levin: { layers: 8, lightning_layers: 7 } }]);
  });

  it("embeds texts: alike ones lie close, in both encodings", async () => {
    const input = ["What is 12 plus 30?", "What is 13 plus 31?", "Sort these words: pear, fig."];
    const embed = async (format: "float" | "base64") => {
      const reply = await client.embeddings.create({
        model: "spark",
        input,
        encoding_format: format,
      });
      expect(reply.usage.prompt_tokens).toBeGreaterThan(20);
      return reply.data.map(({ embedding }) => embedding as number[] | string);
    };
    const vectors = (await embed("float")) as number[][];
    const dot = (a: number, b: number): number =>
      vectors[a]!.reduce((sum, value, i) => sum + value * vectors[b]![i]!, 0);
    expect(dot(0, 0)).toBeCloseTo(1, 5);
    expect(dot(0, 1)).toBeGreaterThan(dot(0, 2));
    // Without a format the client asks for base64, and decodes it.
    const { data } = await client.embeddings.create({ model: "spark", input: input[0]! });
    data[0]!.embedding.forEach((value, i) => expect(value).toBeCloseTo(vectors[0]![i]!, 5));
    const whole = { model: "spark", input: "x", dimensions: vectors[0]!.length };
    const before = await promptTokens();
    const one = await client.embeddings.create(whole);
    expect(one.data).toHaveLength(1);
    expect((await promptTokens()) - before).toBe(one.usage.prompt_tokens);
    const refused = client.embeddings.create({ ...whole, dimensions: 8 });
    await expect(refused).rejects.toMatchObject({ status: 400, param: "dimensions" });
  });

  it("answers in JSON of a schema, though it never learned any", async () => {
    const schema = {
      type: "object",
      properties: { sum: { type: "integer", minimum: 0, maximum: 99 } },
      required: ["sum"],
      additionalProperties: false,
    };
    const reply = await client.chat.completions.create({
      ...settings,
      response_format: { type: "json_schema", json_schema: { name: "sum", schema, strict: true } },
    });
    const { sum } = JSON.parse(reply.choices[0]!.message.content!) as { sum: number };
    expect(Number.isInteger(sum)).toBe(true);
  });

  it("responds in the form of responses, and goes on from one", async () => {
    const first = await client.responses.create({
      model: "spark",
      input: "What is 12 plus 30?",
      temperature: 0,
    });
    expect(first.output_text).toBe("42");
    const next = await client.responses.create({
      model: "spark",
      input: "What is 5 plus 9?",
      previous_response_id: first.id,
      temperature: 0,
    });
    expect(next.usage!.input_tokens_details.cached_tokens).toBeGreaterThan(10);
  });
});
