import { setTimeout as sleep } from "node:timers/promises";
import { redisServerPath, startRedis } from "@levin/tooling/redis-server";
import { describe, expect, it, onTestFinished } from "vitest";
import { chatLine, createBatch, replies } from "../testing/batch-client.ts";
import { startServerProcess } from "../testing/server-process.ts";
import { startSmallEngine } from "../testing/small-engine.ts";
import { startUpstreamServer } from "../testing/upstream-server.ts";
import { Jobs } from "./jobs.ts";

/** Each worker has four lines at hand. */
const concurrency = "4";
const count = 60;

describe.skipIf(!redisServerPath())("workers that are killed", () => {
  it("lose no line of a batch and double none", { timeout: 180_000 }, async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const engine = await startSmallEngine(async (response, before) => {
      await sleep(50);
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "chat.completion", choices: [], answer: before }));
    });
    onTestFinished(() => engine.close());
    const server = await startUpstreamServer([engine.url], {
      jobs: await Jobs.open(redis.url),
    });
    onTestFinished(() => server.close());
    const { openai } = server;
    const start = () =>
      startServerProcess(
        ...["worker", "--redis", redis.url, "--upstream", engine.url],
        ...["--max-batch", concurrency, "--stall-seconds", "1"],
      );
    const [first, second] = await Promise.all([start(), start()]);

    const names = Array.from({ length: count }, (_, n) => `line ${n}`);
    const { id } = await createBatch(
      openai,
      names.map((name) => chatLine(name, name)),
    );
    const counts = async () => (await openai.batches.retrieve(id)).request_counts!;
    const done = async () => (await counts()).completed;
    // Both have lines at hand when they are killed, one after the other.
    await expect.poll(done, { interval: 20, timeout: 60_000 }).toBeGreaterThan(10);
    await first.kill();
    await expect.poll(done, { interval: 20, timeout: 60_000 }).toBeGreaterThan(25);
    await second.kill();
    expect(await done()).toBeLessThan(count);
    await start();
    await expect.poll(done, { timeout: 60_000 }).toBe(count);

    const batch = await openai.batches.retrieve(id);
    expect(batch.status).toBe("completed");
    expect(batch.request_counts).toEqual({ total: count, completed: count, failed: 0 });
    expect(batch.error_file_id).toBeNull();
    const output = await replies(openai, batch.output_file_id);
    expect(output.map(({ custom_id }) => custom_id)).toEqual(names);
    // Lines that were at hand were asked again: without that the kills would prove nothing.
    const asked = engine.received.map(({ body }) => body);
    expect(new Set(asked).size).toBe(count);
    expect(asked.length).toBeGreaterThan(count);
  });
});
