import { selectBackend } from "@levin/kernels/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { smallTokenizer } from "../testing/scripted-model.ts";
import {
  ask,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";

let server: ScriptedServer;
beforeAll(async () => {
  await selectBackend("cpu");
  server = await startScriptedServer();
});
afterAll(() => server?.close());

const text = "The sum of <think> and 🙂";

async function post<Reply>(path: string, body: object): Promise<Reply> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(server.url + path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return (await response.json()) as Reply;
}

describe("tokenize and detokenize", () => {
  it("speak vLLM's form", async () => {
    const ids = smallTokenizer().encode(text);
    expect(await post("/tokenize", { model, prompt: text, return_token_strs: true })).toEqual({
      count: ids.length,
      max_model_len: 1024,
      tokens: ids,
      token_strs: ids.map((id) => smallTokenizer().idToToken(id)),
    });
    const spaced = { model, prompt: " a", return_token_strs: true };
    const { token_strs: spelled } = await post<{ token_strs: string[] }>("/tokenize", spaced);
    expect(spelled.join("")).toBe("Ġa");
    expect(await post("/detokenize", { model, tokens: ids })).toMatchObject({ prompt: text });
  });

  it("speak llama.cpp's form", async () => {
    const ids = smallTokenizer().encode(text, { parseSpecialTokens: false });
    const body = { content: text, parse_special: false };
    expect(await post("/tokenize", body)).toEqual({ tokens: ids });
    type Pieces = { tokens: { id: number; piece: string | number[] }[] };
    const { tokens } = await post<Pieces>("/tokenize", { ...body, with_pieces: true });
    expect(tokens.map(({ id }) => id)).toEqual(ids);
    expect(tokens[0]!.piece).toBe("The");
    // Parts of a character are bytes, as the text would be lost.
    expect(tokens.slice(-4).map(({ piece }) => piece)).toEqual([[0xf0], [0x9f], [0x99], [0x82]]);
    const bytes = tokens.map(({ piece }) => Buffer.from(piece as string));
    expect(Buffer.concat(bytes).toString()).toBe(text);
    expect(await post("/detokenize", { tokens: ids })).toMatchObject({ content: text });
    expect(await post("/detokenize", { tokens: [] })).toMatchObject({ content: "" });
  });

  it("count a conversation as chat completions do", async () => {
    const { count } = await post<{ count: number }>("/tokenize", { model, messages: ask("hi") });
    const reply = await server.openai.chat.completions.create({ model, messages: ask("hi") });
    expect(count).toBe(reply.usage!.prompt_tokens);
  });

  it.each([
    ["/tokenize", {}, null],
    ["/tokenize", { prompt: "x", content: "x" }, null],
    ["/tokenize", { prompt: "word ".repeat(200_000) }, "prompt"],
    ["/detokenize", { tokens: [99_999] }, "tokens"],
    ["/detokenize", { tokens: "x" }, "tokens"],
  ])("refuse what makes no sense: %s %j", async (path, body, param) => {
    expect(await server.post(path, body)).toMatchObject({ status: 400, error: { param } });
  });

  it("know their model", async () => {
    expect(await server.post("/tokenize", { model: "x", prompt: "x" })).toMatchObject({
      status: 404,
    });
  });
});
