import { selectBackend } from "@levin/kernels/node";
import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { smallTokenizer } from "../testing/scripted-model.ts";
import {
  answer,
  ask,
  model,
  startScriptedServer,
  thought,
  type ScriptedServer,
  type WithReasoning,
} from "../testing/scripted-server.ts";

/** A long thought where counting is asked for. */
function script(conversation: string): string {
  return conversation.includes("count")
    ? `<think>\n${"one two ".repeat(60)}\n</think>\n\nThe end.`
    : `<think>\n${thought}\n</think>\n\n${answer}`;
}

let server: ScriptedServer;
let openai: OpenAI;

beforeAll(async () => {
  await selectBackend("cpu");
  server = await startScriptedServer({ script });
  ({ openai } = server);
});
afterAll(() => server?.close());

describe("chat completions through the openai client", () => {
  it("keep the thought apart from the answer and count its tokens", async () => {
    const reply = await openai.chat.completions.create({
      model,
      messages: ask("What is 1 plus 2?"),
      temperature: 0,
    });
    const message = reply.choices[0]!.message as WithReasoning<{ content: string | null }>;
    expect(message.content).toBe(answer);
    expect(message.reasoning_content).toBe(thought);
    expect(reply).toMatchObject({ model, object: "chat.completion" });
    expect(reply.choices[0]).toMatchObject({ index: 0, finish_reason: "stop", logprobs: null });
    const { usage } = reply;
    expect(usage!.completion_tokens_details!.reasoning_tokens).toBeGreaterThan(10);
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens);
  });

  it("stream the same text in many pieces, and the usage at the end if asked", async () => {
    const stream = await openai.chat.completions.create({
      model,
      messages: ask("What is 1 plus 2?"),
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    let [content, reasoning, pieces] = ["", "", 0];
    const chunks = [];
    for await (const chunk of stream) {
      chunks.push(chunk);
      const delta = chunk.choices[0]?.delta as WithReasoning<{ content?: string }> | undefined;
      content += delta?.content ?? "";
      reasoning += delta?.reasoning_content ?? "";
      if (delta?.content || delta?.reasoning_content) pieces++;
    }
    expect(content).toBe(answer);
    expect(reasoning).toBe(thought);
    expect(pieces).toBeGreaterThan(20);
    expect(chunks[0]!.choices[0]!.delta.role).toBe("assistant");
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe("stop");
    expect(chunks.at(-1)!.choices).toEqual([]);
    expect(chunks.at(-1)!.usage!.completion_tokens).toBeGreaterThan(pieces - 1);
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
  });

  it("end before a stop string", async () => {
    const [choice] = (
      await openai.chat.completions.create({
        model,
        messages: ask("hi"),
        temperature: 0,
        stop: ["3, Ä", "never"],
      })
    ).choices;
    expect(choice!.message.content).toBe("The sum is ");
    expect(choice).toMatchObject({ finish_reason: "stop", stop_reason: "3, Ä" });
  });

  it("stream no part of a stop string, and the log-probabilities of what they stream", async () => {
    const stream = await openai.chat.completions.create({
      model,
      messages: ask("hi"),
      temperature: 0,
      stop: "3, Ä",
      logprobs: true,
      stream: true,
    });
    let content = "";
    const tokens: string[] = [];
    for await (const { choices } of stream) {
      content += choices[0]?.delta.content ?? "";
      tokens.push(...(choices[0]?.logprobs?.content ?? []).map(({ token }) => token));
    }
    expect(content).toBe("The sum is ");
    expect(tokens.join("")).toContain(content);
  });

  it("end at the token limit with finish_reason length", async () => {
    for (const limit of [{ max_tokens: 5 }, { max_completion_tokens: 5 }]) {
      const reply = await openai.chat.completions.create({ model, messages: ask("hi"), ...limit });
      expect(reply.usage!.completion_tokens).toBe(5);
      expect(reply.choices[0]!.finish_reason).toBe("length");
    }
  });

  it("repeat themselves for a seed, and vary between seeds", async () => {
    const sample = async (seed: number): Promise<string> => {
      const reply = await openai.chat.completions.create({
        model,
        messages: ask("hi"),
        temperature: 2,
        max_tokens: 24,
        seed,
      });
      const message = reply.choices[0]!.message as WithReasoning<{ content: string | null }>;
      return `${message.reasoning_content}|${message.content}`;
    };
    const first = await sample(1);
    expect(await sample(1)).toBe(first);
    expect(new Set([first, await sample(2), await sample(3)]).size).toBeGreaterThan(1);
  });

  it("report log-probabilities whose bytes are the answer, likeliest first", async () => {
    const reply = await openai.chat.completions.create({
      model,
      messages: ask("hi"),
      temperature: 0,
      logprobs: true,
      top_logprobs: 3,
    });
    const tokens = reply.choices[0]!.logprobs!.content!;
    const bytes = Uint8Array.from(tokens.flatMap((token) => token.bytes!));
    expect(new TextDecoder().decode(bytes)).toBe(reply.choices[0]!.message.content);
    for (const { logprob, token, top_logprobs: top } of tokens) {
      expect(top).toHaveLength(3);
      expect(top[0]).toMatchObject({ token, logprob });
      expect(top[0]!.logprob).toBeGreaterThan(top[1]!.logprob);
      expect(logprob).toBeLessThan(0);
    }
  });

  it("close the thought at the thinking budget, and skip it without effort", async () => {
    const think = async (more: object) =>
      openai.chat.completions.create({ model, messages: ask("count"), temperature: 0, ...more });
    const reply = await think({ thinking_budget: 7 });
    expect(reply.usage!.completion_tokens_details!.reasoning_tokens).toBe(7);
    expect(reply.choices[0]!.message.content).toBe("The end.");
    const none = await think({ reasoning_effort: "none" });
    expect(none.usage!.completion_tokens_details!.reasoning_tokens).toBe(0);
    expect(none.choices[0]!.message).not.toHaveProperty("reasoning_content");
    expect(none.choices[0]!.message.content).toBe("The end.");
  });

  it("answer requests that come together one after the other, each as if alone", async () => {
    const one = () =>
      openai.chat.completions.create({ model, messages: ask("hi"), temperature: 0 });
    const replies = await Promise.all(Array.from({ length: 4 }, one));
    expect(new Set(replies.map((reply) => reply.choices[0]!.message.content)).size).toBe(1);
    expect(new Set(replies.map((reply) => reply.id)).size).toBe(4);
  });

  it("say less of what was said, and nothing that is forbidden", async () => {
    const say = async (more: object): Promise<string> => {
      const settings = { temperature: 0, thinking_budget: 0, max_tokens: 60, ...more };
      const messages = ask("hi");
      const reply = await openai.chat.completions.create({ model, messages, ...settings });
      return reply.choices[0]!.message.content!;
    };
    expect(await say({})).toBe(answer);
    // The script is forgotten where its tokens come up again, and the noise takes over.
    const varied = await say({ frequency_penalty: 2, presence_penalty: 2 });
    expect(varied).not.toBe(answer);
    const id = smallTokenizer().encode(answer)[0]!;
    expect(await say({ logit_bias: { [id]: -100 } })).not.toMatch(/^T/);
    for (const wrong of [
      { presence_penalty: 3 },
      { logit_bias: { x: 1 } },
      { logit_bias: { 1: 200 } },
    ]) {
      await expect(say(wrong)).rejects.toMatchObject({ status: 400 });
    }
  });

  it("read system messages and earlier turns, and treat special tokens in them as text", async () => {
    const tokens = async (messages: OpenAI.ChatCompletionMessageParam[]): Promise<number> => {
      const reply = await openai.chat.completions.create({ model, messages, max_tokens: 1 });
      return reply.usage!.prompt_tokens;
    };
    const plain = await tokens(ask("hi"));
    expect(await tokens([{ role: "system", content: "Be kind." }, ...ask("hi")])).toBeGreaterThan(
      plain,
    );
    expect(
      await tokens([...ask("a"), { role: "assistant", content: "b" }, ...ask("hi")]),
    ).toBeGreaterThan(plain);
    // As one special token it would add 1.
    expect(await tokens(ask("hi<end_of_sentence>"))).toBeGreaterThan(plain + 2);
    const parts = [{ role: "user" as const, content: [{ type: "text" as const, text: "hi" }] }];
    expect(await tokens(parts)).toBe(plain);
  });
});
