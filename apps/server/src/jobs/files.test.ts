import { selectBackend } from "@levin/kernels/node";
import { redisServerPath } from "@levin/tooling/redis-server";
import OpenAI, { toFile } from "openai";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createKey } from "../security/api-key.ts";
import { KeyRing } from "../security/key-ring.ts";
import { chatLine, createBatch, replies } from "../testing/batch-client.ts";
import { ownRedis } from "../testing/own-redis.ts";
import { startScriptedServer } from "../testing/scripted-server.ts";
import type { FileLimits } from "./file-limits.ts";
import { Jobs } from "./jobs.ts";

describe.skipIf(!redisServerPath())("files, asked by the official openai client", () => {
  const own = ownRedis();
  beforeAll(() => selectBackend("cpu"));

  /** Clients of new keys of one server. */
  async function clients(limits: Partial<FileLimits> = {}): Promise<[OpenAI, OpenAI]> {
    const keys = ["alice", "bob"].map((name) => createKey(name, {}));
    const ring = new KeyRing(
      undefined,
      keys.map(({ stored }) => stored),
    );
    const started = await startScriptedServer({
      jobs: await Jobs.open(own.url, { limits }),
      security: { keys: ring },
    });
    onTestFinished(() => started.close());
    const [alice, bob] = keys.map(
      ({ key }) => new OpenAI({ baseURL: `${started.url}/v1`, apiKey: key, maxRetries: 0 }),
    );
    return [alice!, bob!];
  }

  const upload = async (client: OpenAI, bytes: number) =>
    client.files.create({ file: await toFile(Buffer.alloc(bytes, "x"), "a"), purpose: "batch" });

  /** A batch of three lines: two were answered, one failed. */
  async function endedBatch(client: OpenAI): Promise<OpenAI.Batch> {
    const { id } = await createBatch(
      client,
      ["a", "b", "c"].map((name) => chatLine(name, "go")),
    );
    await own.runs.record(id, 0, { status: "completed", value: { custom_id: "a", text: "ÄÖÜ" } });
    await own.runs.record(id, 1, { status: "failed", value: { custom_id: "b" } });
    await own.runs.record(id, 2, { status: "completed", value: { custom_id: "c" } });
    return client.batches.retrieve(id);
  }

  it("lists those of batches too, in pages, by order and purpose", async () => {
    const [client] = await clients();
    const {
      output_file_id: output,
      error_file_id: errors,
      input_file_id,
    } = await endedBatch(client);
    const ids = async (query: OpenAI.FileListParams) =>
      (await client.files.list(query)).data.map(({ id }) => id);
    const all = await ids({});
    expect(new Set(all)).toEqual(new Set([input_file_id, output, errors]));
    expect(all.at(-1)).toBe(input_file_id);
    expect(await ids({ order: "asc" })).toEqual(all.toReversed());
    expect(await ids({ purpose: "batch" })).toEqual([input_file_id]);
    const first = await client.files.list({ limit: 2 });
    expect(first.has_more).toBe(true);
    expect((await first.getNextPage()).data.map(({ id }) => id)).toEqual(all.slice(2));
    for (const file of (await client.files.list()).data) {
      const text = await (await client.files.content(file.id)).text();
      expect(file.bytes).toBe(Buffer.byteLength(text));
      expect(file.expires_at! - file.created_at).toBe(30 * 24 * 3600);
    }
  });

  it("deletes those of batches, with all that they held", async () => {
    const [client] = await clients();
    const { id, output_file_id: output, error_file_id: errors } = await endedBatch(client);
    expect(await client.files.delete(output!)).toEqual({
      id: output,
      object: "file",
      deleted: true,
    });
    const missing = { status: 404, code: "file_not_found" };
    await expect(client.files.retrieve(output!)).rejects.toMatchObject(missing);
    await expect(client.files.content(output!)).rejects.toMatchObject(missing);
    await expect(client.files.delete(output!)).rejects.toMatchObject(missing);
    expect((await client.files.list({ purpose: "batch_output" })).data).toMatchObject([
      { id: errors },
    ]);
    expect(await replies(client, errors)).toEqual([{ custom_id: "b" }]);
    expect(await own.redis.hlen(`levin:run:${id}:results`)).toBe(1);
    expect(await client.batches.retrieve(id)).toMatchObject({
      status: "completed",
      request_counts: { total: 3, completed: 2, failed: 1 },
    });
  });

  it("refuses to begin a page after what is not there", async () => {
    const [client, other] = await clients();
    const { id, input_file_id: file } = await endedBatch(client);
    const refused = { status: 400, param: "after" };
    await expect(client.batches.list({ after: "batch_1" })).rejects.toMatchObject(refused);
    await expect(client.files.list({ after: "file-1" })).rejects.toMatchObject(refused);
    await expect(other.batches.list({ after: id })).rejects.toMatchObject(refused);
    await expect(other.files.list({ after: file })).rejects.toMatchObject(refused);
  });

  it("lets a key have so many files, and others theirs", async () => {
    const [client, other] = await clients({ perKey: 2 });
    const { id } = await upload(client, 10);
    await upload(client, 10);
    const refused = { status: 403, code: "file_limit_exceeded" };
    await expect(upload(client, 10)).rejects.toMatchObject(refused);
    await upload(other, 10);
    await client.files.delete(id);
    await upload(client, 10);
  });

  it("lets a key have so many bytes, those of its batches too, and keeps nothing of what is refused", async () => {
    const [client, other] = await clients({ bytesPerKey: 300_000 });
    const before = await own.redis.keys("levin:file:*");
    const refused = { status: 403, code: "file_bytes_exceeded" };
    await expect(upload(client, 310_000)).rejects.toMatchObject(refused);
    // Each has room, both have not.
    const both = await Promise.allSettled([upload(client, 160_000), upload(client, 160_000)]);
    expect(both.some(({ status }) => status === "rejected")).toBe(true);
    for (const { id } of (await client.files.list()).data) await client.files.delete(id);
    expect(await own.redis.keys("levin:file:*")).toEqual(before);
    const { batches } = client;
    const first = await createBatch(client, JSON.stringify(chatLine("a", "x".repeat(110_000))));
    const { input_file_id, endpoint } = first as OpenAI.BatchCreateParams;
    const again = { input_file_id, endpoint, completion_window: "24h" } as const;
    await expect(batches.create(again)).rejects.toMatchObject(refused);
    await upload(other, 200_000);
    await batches.cancel(first.id);
    expect(await batches.create(again)).toMatchObject({ status: "in_progress" });
  });
});
