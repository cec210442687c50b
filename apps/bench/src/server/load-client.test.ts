import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LoadClient, LostAnswerError } from "./load-client.ts";

const piece = (delta: object, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ delta, finish_reason }] })}\n\n`;
const usage = `data: {"choices":[],"usage":{"completion_tokens":3}}\n\n`;
const done = "data: [DONE]\n\n";
const begin = piece({ role: "assistant", content: "" }) + piece({ reasoning_content: "hm é" });
const whole = begin + piece({ content: "4" }) + piece({}, "stop") + usage + done;

/** What the engine streams next. */
let stream = "";
let server: Server;
let client: LoadClient;
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/v1/models") response.end('{"data":[{"id":"some"}]}');
    else if (stream === "") response.writeHead(429).end('{"error":"too many"}');
    else {
      // Cut within é, as packets may be.
      const bytes = Buffer.from(stream);
      const cut = bytes.indexOf(0xc3) + 1;
      response.write(bytes.subarray(0, cut));
      setTimeout(() => response.end(bytes.subarray(cut)), 20);
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  client = await LoadClient.connect(`http://127.0.0.1:${port}`);
});
afterAll(() => server.close());

describe("a streamed answer", () => {
  it("has a time for each piece of thought and text, and the server's count of tokens", async () => {
    stream = whole;
    const counts: number[] = [];
    const answer = await client.stream({}, { onPiece: (count) => counts.push(count) });
    expect(answer.tokens).toBe(3);
    expect(counts).toEqual([1, 2]);
    expect(answer.pieces).toHaveLength(2);
    expect(answer.pieces.every((at) => at >= answer.asked)).toBe(true);
  });

  it("has pieces of thought by vLLM's name too", async () => {
    stream = begin + piece({ reasoning: "hm" }) + piece({}, "stop") + usage + done;
    expect((await client.stream({})).pieces).toHaveLength(2);
  });

  it.each([
    ["refused", "", /^429 /],
    ["without [DONE]", whole.replace(done, ""), /after 2 pieces/],
    ["without an end", begin + usage + done, /after 1 pieces/],
    ["without its usage", begin + piece({}, "stop") + done, /after 1 pieces/],
    [
      "with an error in it",
      `${begin}data: {"choices":[],"error":{"message":"lost"}}\n\n`,
      /^lost$/,
    ],
  ])("is lost %s", async (_, text, message) => {
    stream = text;
    const lost = client.stream({});
    await expect(lost).rejects.toThrow(LostAnswerError);
    await expect(lost).rejects.toThrow(message);
  });
});
