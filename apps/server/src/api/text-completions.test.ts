import { selectBackend } from "@levin/kernels/node";
import { NotFoundError } from "openai";
import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { smallTokenizer } from "../testing/scripted-model.ts";
import {
  answer,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";

let server: ScriptedServer;
let openai: OpenAI;

beforeAll(async () => {
  await selectBackend("cpu");
  server = await startScriptedServer();
  ({ openai } = server);
});
afterAll(() => server?.close());

describe("text completions and models", () => {
  it("continue a text or token ids, streaming and not", async () => {
    const prompt = "user name=user\nhi ai name=assistant\n";
    const reply = await openai.completions.create({ model, prompt, temperature: 0, logprobs: 2 });
    expect(reply.choices[0]).toMatchObject({
      text: answer,
      finish_reason: "stop",
    });
    const { tokens, token_logprobs: logprobs } = reply.choices[0]!.logprobs!;
    expect(tokens!.length).toBe(logprobs!.length);
    const ids = smallTokenizer().encode(prompt);
    let text = "";
    const stream = await openai.completions.create({
      model,
      prompt: ids,
      temperature: 0,
      stream: true,
    });
    for await (const chunk of stream) text += chunk.choices[0]!.text;
    expect(text).toBe(reply.choices[0]!.text);
  });

  it("begin with their prompts where they are to be echoed", async () => {
    const prompt = ["user name=user\nhi ai", "ho"];
    const body = { model, temperature: 0, n: 2, echo: true };
    const texts = async (asked: string[] | number[]): Promise<string[]> => {
      const reply = await openai.completions.create({ ...body, prompt: asked });
      return reply.choices.map(({ text }) => text);
    };
    const [first, , second] = await texts(prompt);
    expect([first, second]).toEqual(prompt.map((text) => text + answer));
    const ids = smallTokenizer().encode(prompt[0]!);
    expect(await texts(ids)).toEqual([first, first]);
    const streamed = ["", "", "", ""];
    const stream = await openai.completions.create({ ...body, prompt, stream: true });
    for await (const { choices } of stream) {
      const [choice] = choices;
      streamed[choice!.index]! += choice!.text;
    }
    expect(streamed).toEqual([first, first, second, second]);
  });

  it.each([
    [{ echo: true, logprobs: 1 }, "echo"],
    [{ suffix: "end" }, "suffix"],
  ])("say why they refuse %j", async (wrong, param) => {
    const { status, error } = await server.post("/v1/completions", {
      model,
      prompt: "hi",
      ...wrong,
    });
    expect({ status, error }).toMatchObject({
      status: 400,
      error: { param, code: "unsupported_parameter", message: expect.stringContaining("not") },
    });
  });

  it("list the model, and find it by its id", async () => {
    const list = await openai.models.list();
    expect(list.data).toMatchObject([{ id: model, object: "model", owned_by: "levin" }]);
    expect(await openai.models.retrieve(model)).toMatchObject({ levin: { context_length: 1024 } });
    await expect(openai.models.retrieve("gpt-9")).rejects.toThrow(NotFoundError);
  });
});
