import { selectBackend } from "@levin/kernels/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ask,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";
import type { PromptProgress } from "./reply-schemas.ts";

let server: ScriptedServer;
beforeAll(async () => {
  await selectBackend("cpu");
  server = await startScriptedServer({ context: 4096 });
});
afterAll(() => server?.close());

interface Chunk {
  choices: { index: number; delta?: object; text?: string }[];
  prompt_progress?: PromptProgress;
}

/** All chunks of a streamed reply. */
async function chunks(path: string, body: object): Promise<Chunk[]> {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, temperature: 0, ...body }),
  });
  const events = (await response.text()).split("\n\n").filter((line) => line.startsWith("data: {"));
  return events.map((line) => JSON.parse(line.slice("data: ".length)) as Chunk);
}

const long = "one two ".repeat(600);
const isReport = ({ prompt_progress: progress }: Chunk): boolean => progress !== undefined;

describe("the progress of a long prompt", () => {
  it("comes in chunks of its own before the answer, and once if the prompt is known", async () => {
    const body = { messages: ask(long), return_progress: true };
    const all = await chunks("/v1/chat/completions", body);
    const told = all.filter(isReport);
    const total = told[0]!.prompt_progress!.total;
    expect(total).toBeGreaterThan(1024);
    expect(told.map((chunk) => chunk.prompt_progress!.processed)).toEqual([
      ...Array.from({ length: Math.ceil(total / 512) }, (_, i) => 512 * i),
      total,
    ]);
    expect(told[0]!.prompt_progress).toEqual({ total, cache: 0, processed: 0, time_ms: 0 });
    expect(told.every(({ choices }) => JSON.stringify(choices[0]!.delta) === "{}")).toBe(true);
    // After the chunk with the role alone.
    expect(all.findIndex(isReport)).toBe(1);
    expect(all.findLastIndex(isReport)).toBe(told.length);
    expect(all.length).toBeGreaterThan(told.length + 5);
    const again = (await chunks("/v1/chat/completions", body)).filter(isReport);
    expect(again.map((chunk) => chunk.prompt_progress)).toMatchObject([
      { total, cache: total, processed: total },
    ]);
  });

  it("comes for each answer, and for text completions too", async () => {
    const body = { prompt: [long, `${long}!`], return_progress: true, max_tokens: 2 };
    const told = (await chunks("/v1/completions", body)).filter(isReport);
    for (const index of [0, 1]) {
      const own = told.filter(({ choices }) => choices[0]!.index === index);
      const { total, processed } = own.at(-1)!.prompt_progress!;
      expect(processed).toBe(total);
    }
  });

  it("is told to nobody who did not ask", async () => {
    for (const more of [{}, { return_progress: false }]) {
      const all = await chunks("/v1/chat/completions", { messages: ask(`${long}?`), ...more });
      expect(all.length).toBeGreaterThan(5);
      expect(all.some(isReport)).toBe(false);
    }
    const body = { model, messages: ask(`${long}.`), return_progress: true };
    const whole = await fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(await whole.json()).not.toHaveProperty("prompt_progress");
  });
});
