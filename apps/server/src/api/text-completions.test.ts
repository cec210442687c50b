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

  it("list the model, and find it by its id", async () => {
    const list = await openai.models.list();
    expect(list.data).toMatchObject([{ id: model, object: "model", owned_by: "levin" }]);
    expect(await openai.models.retrieve(model)).toMatchObject({ levin: { context_length: 1024 } });
    await expect(openai.models.retrieve("gpt-9")).rejects.toThrow(NotFoundError);
  });
});
