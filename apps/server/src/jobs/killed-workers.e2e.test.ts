import { redisServerPath, startRedis } from "@levin/tooling/redis-server";
import { describe, expect, it, onTestFinished } from "vitest";
import { chatLine, createBatch, replies } from "../testing/batch-client.ts";
import { startServerProcess } from "../testing/server-process.ts";
import { startSmallEngine } from "../testing/small-engine.ts";
import { startUpstreamServer } from "../testing/upstream-server.ts";
import { Jobs } from "./jobs.ts";

/** Lines that each worker has at hand. */
const concurrency = 4;
const count = 40;
const patient = { interval: 20, timeout: 120_000 };

describe.skipIf(!redisServerPath())("workers that are killed", () => {
  it("lose no line of a batch and double none", { timeout: 400_000 }, async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    // Answers as many requests as it may, and keeps the others at hand.
    let allowed = 12;
    const held: (() => void)[] = [];
    const allow = (more: number): void => {
      allowed += more;
      for (const goOn of held.splice(0, more)) goOn();
    };
    const engine = await startSmallEngine(async (response, before) => {
      if (before >= allowed) await new Promise<void>((goOn) => void held.push(goOn));
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
        ...["--max-batch", `${concurrency}`, "--stall-seconds", "2"],
      );
    const [first, second] = await Promise.all([start(), start()]);

    const names = Array.from({ length: count }, (_, n) => `line ${n}`);
    const { id } = await createBatch(
      openai,
      names.map((name) => chatLine(name, name)),
    );
    const counts = async () => (await openai.batches.retrieve(id)).request_counts!;
    const done = async () => (await counts()).completed;
    const atHand = () => held.length;
    // Each has its four lines at hand.
    await expect.poll(atHand, patient).toBe(2 * concurrency);
    await first.kill();
    // Those of the other one, those that nobody waits for any more, and some new ones.
    allow(2 * concurrency + 8);
    await expect.poll(atHand, patient).toBe(concurrency);
    await second.kill();
    allow(count);
    await start();
    await expect.poll(done, patient).toBe(count);

    const batch = await openai.batches.retrieve(id);
    expect(batch.status).toBe("completed");
    expect(batch.request_counts).toEqual({ total: count, completed: count, failed: 0 });
    expect(batch.error_file_id).toBeNull();
    const output = await replies(openai, batch.output_file_id);
    expect(output.map(({ custom_id }) => custom_id)).toEqual(names);
    // Lines that were at hand were asked again: without that the kills would prove nothing.
    const asked = engine.received.map(({ body }) => body);
    expect(new Set(asked).size).toBe(count);
    expect(asked.length).toBeGreaterThanOrEqual(count + 2 * concurrency);
  });
});
