import type { FastifyInstance } from "fastify";
import OpenAI, { APIError } from "openai";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createServer, readServedModel, WorkerEngine } from "./index.ts";

let engine: WorkerEngine;
let app: FastifyInstance;
let url: string;
let openai: OpenAI;
let logged = "";
beforeAll(async () => {
  const logger = pino({ level: "info" }, { write: (line: string) => void (logged += line) });
  const limits = { maxBatch: 4, prefixCacheBytes: 2 ** 26 };
  engine = await WorkerEngine.start({ load: {}, limits, logger, restartDelay: 1 });
  app = createServer({ ...(await readServedModel()), engine, logger, maxBatch: 4 });
  url = await app.listen({ port: 0, host: "127.0.0.1" });
  openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => app?.close());

const question = {
  model: "spark",
  messages: [{ role: "user" as const, content: "What is 12 plus 30?" }],
  temperature: 0,
};
/** Runs until it is stopped. */
const long = { ...question, temperature: 2, seed: 1, max_tokens: 4000 };

const ready = async (): Promise<number> => (await fetch(`${url}/ready`)).status;

it("answers from a thread of its own", async () => {
  const { choices } = await openai.chat.completions.create(question);
  expect(choices[0]!.message.content).toBe("42");
});

it("when the model's thread is killed in the middle of answers, tells their clients and goes on", async () => {
  const stream = await openai.chat.completions.create({ ...long, stream: true });
  const whole = openai.chat.completions
    .create({ ...long, seed: 2 })
    .catch((error: unknown) => error);
  let chunks = 0;
  const read = async (): Promise<void> => {
    for await (const _ of stream) if (++chunks === 5) void engine.thread.worker.terminate();
  };
  const broken = read();
  await expect(broken).rejects.toBeInstanceOf(APIError);
  await expect(broken).rejects.toMatchObject({ code: "model_lost", type: "server_error" });
  expect(await whole).toMatchObject({ status: 503, code: "model_lost" });
  expect((await fetch(`${url}/health`)).status).toBe(200);
  await expect.poll(ready, { timeout: 50_000 }).toBe(200);
  const { choices } = await openai.chat.completions.create(question);
  expect(choices[0]!.message.content).toBe("42");
  expect(logged).toContain("the model's thread ended; it is started again");
  expect(logged).toContain("the model is loaded again");
  expect(logged).not.toContain("12 plus 30");
});
