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
});
