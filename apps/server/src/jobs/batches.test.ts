import { PassThrough } from "node:stream";
import { selectBackend } from "@levin/kernels/node";
import { redisServerPath, startRedis, type TestRedis } from "@levin/tooling/redis-server";
import Fastify from "fastify";
import OpenAI, { toFile } from "openai";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { handleErrors } from "../api/error-handling.ts";
import { createServer } from "../index.ts";
import { createKey } from "../security/api-key.ts";
import { KeyRing } from "../security/key-ring.ts";
import { UsageBook } from "../security/key-usage.ts";
import { chatLine, createBatch, replies } from "../testing/batch-client.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import {
  answer,
  ask,
  model,
  startScriptedServer,
  type ScriptedServer,
} from "../testing/scripted-server.ts";
import { startBatchWorker } from "./batch-worker.ts";
import { jobRoutes } from "./job-routes.ts";
import { JobRuns } from "./job-runs.ts";
import { Jobs } from "./jobs.ts";
import { KeyUse } from "./key-use.ts";
import { openRedis } from "./redis-connection.ts";

const patient = { timeout: 30_000 };
const hasRedis = redisServerPath() !== undefined;
if (!hasRedis) console.warn("no redis-server found: tests of batches are skipped");

beforeAll(() => selectBackend("cpu"));

const upload = async (openai: OpenAI, text: string) =>
  openai.files.create({ file: await toFile(Buffer.from(text), "a.jsonl"), purpose: "batch" });

describe("without Redis", () => {
  it("files and batches say which flag is missing, and fill no log", async () => {
    const log = new PassThrough();
    const server = await startScriptedServer({ logger: pino({ level: "warn" }, log) });
    onTestFinished(() => server.close());
    const missing = { status: 501, code: "batches_unavailable" };
    const { files, batches } = server.openai;
    const file = await toFile(Buffer.from("{}"), "a");
    for (const call of [
      () => files.create({ file, purpose: "batch" }),
      () => files.content("file-1"),
      () => batches.retrieve("batch_1"),
      () => batches.cancel("batch_1"),
    ]) {
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(missing);
      expect((error as Error).message).toContain("--redis URL");
    }
    expect(log.readableLength).toBe(0);
  });

  it("a server that is to use it does not start", async () => {
    await expect(Jobs.open("redis://user:secret@127.0.0.1:1")).rejects.toThrow(
      /^cannot reach Redis at 127.0.0.1:1/,
    );
    await expect(Jobs.open("http://a")).rejects.toThrow("expected an address such as redis://");
  });
});

describe.skipIf(!hasRedis)("batches, asked by the official openai client", () => {
  let redis: TestRedis;
  let openai: OpenAI;
  let jobs: Jobs;
  let server: ScriptedServer;

  beforeAll(async () => {
    redis = await startRedis();
    jobs = await Jobs.open(redis.url);
    server = await startScriptedServer({ jobs });
    ({ openai } = server);
  });
  afterAll(async () => {
    await server?.close();
    await redis?.stop();
  });

  /** A worker with the scripted model, until the test ends. */
  async function work(concurrency = 2): Promise<void> {
    const app = createServer(scriptedModel(() => `<think>\nOne.\n</think>\n\n${answer}`));
    await app.ready();
    const end = await startBatchWorker(app, { redisUrl: redis.url, concurrency });
    onTestFinished(async () => {
      await end();
      await app.close();
    });
  }

  const ended = async (id: string, client = openai): Promise<OpenAI.Batch> => {
    const over = ["completed", "failed", "cancelled", "expired"];
    await expect
      .poll(async () => over.includes((await client.batches.retrieve(id)).status), patient)
      .toBe(true);
    return client.batches.retrieve(id);
  };

  it("answers each line, in order, with wrong ones in a file of their own", async () => {
    await work();
    const lines = [0, 1, 2, 3].map((n) => chatLine(`line ${n}`, `${n}`, model));
    lines.splice(2, 0, chatLine("wrong", "hello", "unknown"));
    const batch = await createBatch(openai, lines);
    expect(batch).toMatchObject({ object: "batch", request_counts: { total: 5 } });
    const done = await ended(batch.id);
    expect(done).toMatchObject({
      status: "completed",
      request_counts: { total: 5, completed: 4, failed: 1 },
    });
    expect(done.completed_at).toBeGreaterThanOrEqual(done.created_at);
    const output = await replies(openai, done.output_file_id);
    expect(output.map(({ custom_id }) => custom_id)).toEqual([
      "line 0",
      "line 1",
      "line 2",
      "line 3",
    ]);
    const [{ response }] = output as [(typeof output)[number]];
    const direct = await openai.chat.completions.create({
      model,
      messages: ask("0"),
      temperature: 0,
    });
    expect(response).toMatchObject({ status_code: 200 });
    expect(response!.body.choices[0]!.message.content).toBe(direct.choices[0]!.message.content);
    const [wrong] = await replies(openai, done.error_file_id);
    expect(wrong).toMatchObject({
      custom_id: "wrong",
      response: { status_code: 404, body: { error: { code: "model_not_found" } } },
    });
    const file = await openai.files.retrieve(done.output_file_id!);
    const text = await (await openai.files.content(file.id)).text();
    expect(file).toMatchObject({ purpose: "batch_output", bytes: Buffer.byteLength(text) });
  });

  it("lists batches, the newest first, and pages through them", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      ids.unshift((await createBatch(openai, [chatLine("a", "hello", model)])).id);
    }
    const first = await openai.batches.list({ limit: 2 });
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(first.has_more).toBe(true);
    expect((await first.getNextPage()).data[0]!.id).toBe(ids[2]);
    for (const id of ids) await openai.batches.cancel(id);
  });

  it("keeps files until they are deleted", async () => {
    const text = `${JSON.stringify(chatLine("a", "ÄÖÜ\u2028🙂", model))}\n`;
    const file = await openai.files.create({
      file: await toFile(Buffer.from(text), "my.jsonl"),
      purpose: "batch",
    });
    expect(file).toMatchObject({ filename: "my.jsonl", bytes: Buffer.byteLength(text) });
    expect(await openai.files.retrieve(file.id)).toEqual(file);
    expect(await (await openai.files.content(file.id)).text()).toBe(text);
    expect((await openai.files.list()).data.map(({ id }) => id)).toContain(file.id);
    // The name of its content in Redis is no file's.
    await expect(openai.files.retrieve(`${file.id}:data`)).rejects.toMatchObject({ status: 404 });
    await openai.files.delete(file.id);
    await expect(openai.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(openai.files.content(file.id)).rejects.toMatchObject({ code: "file_not_found" });
  });

  it.each([
    ["no JSON", "not json\n", { code: "invalid_line", line: 1 }],
    ["nothing", "\n\n", { code: "empty_file" }],
    [
      "another endpoint",
      JSON.stringify({ ...chatLine("a", "b"), url: "/v1/embeddings" }),
      { param: "url" },
    ],
    [
      "a name twice",
      [chatLine("a", "b"), chatLine("a", "c")].map((line) => JSON.stringify(line)).join("\n"),
      { code: "duplicate_custom_id", line: 2 },
    ],
    [
      "a stream",
      JSON.stringify({
        ...chatLine("a", "b"),
        body: { model, messages: ask("go"), stream: true },
      }),
      { param: "body.stream" },
    ],
    [
      "a session",
      JSON.stringify({ ...chatLine("a", "b"), body: { model, messages: [], session: "sess_1" } }),
      { param: "body.session", message: "body.session: a batch can't go on with sessions" },
    ],
  ])("fails a batch whose file holds %s, and says where", async (_, text, error) => {
    const batch = await createBatch(openai, text);
    expect(batch.status).toBe("failed");
    expect(batch.errors!.data![0]).toMatchObject(error);
  });

  it("cancels: what no worker has begun with is not done", async () => {
    const lines = Array.from({ length: 20 }, (_, n) => chatLine(`${n}`, "hello", model));
    const { id } = await createBatch(openai, lines);
    const cancelled = await openai.batches.cancel(id);
    expect(cancelled).toMatchObject({
      status: "cancelled",
      output_file_id: null,
      request_counts: { total: 20, completed: 0, failed: 0 },
    });
    await expect(openai.batches.cancel(id)).rejects.toMatchObject({ status: 409 });
  });

  it("expires after its completion window: what is done is kept, the rest is not begun", async () => {
    let time = Date.now();
    const clocked = await startScriptedServer({
      jobs: await Jobs.open(redis.url, { now: () => time }),
    });
    onTestFinished(() => clocked.close());
    const { batches } = clocked.openai;
    const lines = [0, 1, 2].map((n) => chatLine(`${n}`, "hello", model));
    const { id, created_at, expires_at } = await createBatch(clocked.openai, lines);
    expect(expires_at! - created_at).toBe(24 * 3600);
    time += 24 * 3600_000 - 1;
    expect(await batches.retrieve(id)).toMatchObject({ status: "in_progress", expired_at: null });
    time += 1;
    const found = (await batches.list()).data.find((batch) => batch.id === id);
    expect(found).toMatchObject({ status: "expired", request_counts: { total: 3, completed: 0 } });
    const expired = await batches.retrieve(id);
    expect(expired.expired_at).toBe(Math.floor(time / 1000));
    await expect(batches.cancel(id)).rejects.toMatchObject({ status: 409 });
  });

  it("counts against the limits of its key: above one it waits, and fails nothing", async () => {
    const { key, stored } = createKey("alice", { tokensPerDay: 1 });
    const usage = new UsageBook();
    const security = { keys: new KeyRing(undefined, [stored]), usage };
    const locked = await startScriptedServer({ jobs: await Jobs.open(redis.url), security });
    onTestFinished(() => locked.close());
    const client = new OpenAI({ baseURL: `${locked.url}/v1`, apiKey: key, maxRetries: 0 });
    const lines = [0, 1, 2].map((n) => chatLine(`${n}`, "hello", model));
    const { id } = await createBatch(client, lines);
    const chat = { model, messages: ask("hello"), temperature: 0 };
    const { total_tokens: before } = (await client.chat.completions.create(chat)).usage!;
    const connection = await openRedis(redis.url);
    onTestFinished(() => connection.disconnect());
    await expect.poll(() => new KeyUse(connection).held(stored.id), patient).toBeGreaterThan(0);
    await work();
    const runs = new JobRuns(connection);
    onTestFinished(() => runs.close());
    const delayed = async () => (await runs.queues()).find(({ kind }) => kind === "batch")!.delayed;
    await expect.poll(delayed, patient).toBe(3);
    await expect(client.batches.retrieve(id)).rejects.toMatchObject({ status: 429 });
    expect((await runs.get(id))!.counts).toEqual({ completed: 0, failed: 0, skipped: 0 });

    delete stored.limits.tokensPerDay;
    const used = () => {
      const { promptTokens, completionTokens } = usage.of(stored.id).total;
      return promptTokens + completionTokens;
    };
    const done = await ended(id, client);
    const output = await replies(client, done.output_file_id);
    const each = output.map(({ response }) => response!.body.usage!.total_tokens);
    const all = each.reduce((sum, tokens) => sum + tokens, before);
    await expect.poll(() => used(), patient).toBe(all);
    stored.limits.tokensPerDay = all;
    // What the batch used is missing to other requests now.
    await expect(client.chat.completions.create(chat)).rejects.toMatchObject({
      status: 429,
      message: expect.stringContaining("tokens a day") as string,
    });
  });

  it("is another key's for others: not found, listed, cancelled or read", async () => {
    const keys = ["alice", "bob"].map((name) => createKey(name, {}));
    const security = {
      keys: new KeyRing(
        undefined,
        keys.map(({ stored }) => stored),
      ),
    };
    const locked = await startScriptedServer({ jobs: await Jobs.open(redis.url), security });
    onTestFinished(() => locked.close());
    const baseURL = `${locked.url}/v1`;
    const [alice, bob] = keys.map(({ key }) => new OpenAI({ baseURL, apiKey: key, maxRetries: 0 }));
    await work();
    const { id, input_file_id: input } = await createBatch(alice!, [chatLine("a", "x", model)]);
    const over = async () => (await alice!.batches.retrieve(id)).output_file_id;
    await expect.poll(over, patient).toBeTruthy();
    const output = (await over())!;
    const missing = { status: 404 };
    await expect(bob!.batches.retrieve(id)).rejects.toMatchObject(missing);
    await expect(bob!.batches.cancel(id)).rejects.toMatchObject(missing);
    const request = { endpoint: "/v1/chat/completions", completion_window: "24h" } as const;
    await expect(bob!.batches.create({ input_file_id: input, ...request })).rejects.toMatchObject(
      missing,
    );
    for (const file of [input, output]) {
      await expect(bob!.files.retrieve(file)).rejects.toMatchObject(missing);
      await expect(bob!.files.content(file)).rejects.toMatchObject(missing);
      await expect(bob!.files.delete(file)).rejects.toMatchObject(missing);
    }
    expect((await bob!.batches.list()).data).toEqual([]);
    expect((await bob!.files.list()).data).toEqual([]);
    expect((await alice!.batches.list()).data.map((batch) => batch.id)).toEqual([id]);
    expect(await replies(alice!, output)).toHaveLength(1);
    expect(await alice!.batches.retrieve(id)).not.toHaveProperty("owner");
    expect(await alice!.files.delete(input)).toMatchObject({ deleted: true });
  });

  it("refuses what is wrong in a request", async () => {
    const create = (body: object) => openai.batches.create(body as never);
    const right = {
      input_file_id: "file-1",
      endpoint: "/v1/completions",
      completion_window: "24h",
    };
    await expect(create(right)).rejects.toMatchObject({ status: 404, param: "input_file_id" });
    await expect(create({ ...right, endpoint: "/v1/other" })).rejects.toMatchObject({
      status: 400,
      param: "endpoint",
    });
    await expect(openai.batches.retrieve("batch_1")).rejects.toMatchObject({ status: 404 });
    const file = await toFile(Buffer.from("{}"), "a");
    await expect(openai.files.create({ file, purpose: "fine-tune" })).rejects.toMatchObject({
      status: 400,
      param: "purpose",
    });
  });

  it("keeps nothing of an upload of two files", async () => {
    const before = (await openai.files.list()).data.length;
    const body = new FormData();
    body.append("purpose", "batch");
    for (const name of ["one", "two"]) body.append("file", new Blob(["{}"]), name);
    const { status } = await fetch(`${openai.baseURL}/files`, { method: "POST", body });
    expect(status).toBe(413);
    expect((await openai.files.list()).data).toHaveLength(before);
  });

  it("refuses files that are too large, and keeps nothing of them", async () => {
    const app = Fastify();
    handleErrors(app);
    const own = await Jobs.open(redis.url);
    jobRoutes(app, own, 1000);
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => app.close().then(() => {}));
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
    const before = (await client.files.list()).data.length;
    const file = await toFile(Buffer.alloc(200_000, "x"), "large");
    await expect(client.files.create({ file, purpose: "batch" })).rejects.toMatchObject({
      status: 413,
      code: "request_too_large",
    });
    expect((await client.files.list()).data).toHaveLength(before);
  });
});

describe.skipIf(!hasRedis)("when Redis is gone", () => {
  it("files and batches answer 503, and the rest goes on", async () => {
    await selectBackend("cpu");
    const redis = await startRedis();
    const server = await startScriptedServer({ jobs: await Jobs.open(redis.url) });
    onTestFinished(() => server.close());
    await redis.stop();
    await expect(server.openai.batches.retrieve("batch_1")).rejects.toMatchObject({
      status: 503,
      code: "batches_unavailable",
    });
    expect((await server.openai.models.list()).data).toHaveLength(1);
  });

  it("or full, uploads and batches get 503, too, and go on when there is room", async () => {
    const redis = await startRedis();
    const server = await startScriptedServer({ jobs: await Jobs.open(redis.url) });
    const admin = await openRedis(redis.url);
    onTestFinished(async () => {
      admin.disconnect();
      await server.close();
      await redis.stop();
    });
    const text = `${JSON.stringify(chatLine("a", "go", model))}\n`;
    const { id } = await upload(server.openai, text);
    const create = () =>
      server.openai.batches.create({
        input_file_id: id,
        endpoint: "/v1/chat/completions",
        completion_window: "24h",
      });
    await admin.config("SET", "maxmemory", "1");
    const full = { status: 503, code: "batches_unavailable" };
    await expect(upload(server.openai, text)).rejects.toMatchObject(full);
    await expect(create()).rejects.toMatchObject(full);
    await admin.config("SET", "maxmemory", "0");
    expect(await create()).toMatchObject({ status: "in_progress" });
    expect((await server.openai.files.list()).data).toHaveLength(1);
  });
});
