import { fileURLToPath } from "node:url";
import { selectBackend } from "@levin/kernels/node";
import { sparkDirectory } from "@levin/spark";
import { redisServerPath, startRedis } from "@levin/tooling/redis-server";
import { describe, expect, it, onTestFinished } from "vitest";
import { chatLine, createBatch, replies } from "../testing/batch-client.ts";
import { startScriptedServer } from "../testing/scripted-server.ts";
import { startServerProcess } from "../testing/server-process.ts";
import { Jobs } from "./jobs.ts";

describe.skipIf(!redisServerPath())("levin-server worker --model", () => {
  it("answers a batch with its own model, is seen in the server's metrics, and ends when told to", async () => {
    await selectBackend("cpu");
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const server = await startScriptedServer({ jobs: await Jobs.open(redis.url) });
    onTestFinished(() => server.close());
    const questions = ["What is 12 plus 30?", "What is 58 plus 67?"];
    const { id } = await createBatch(server.openai, [
      ...questions.map((question) => chatLine(question, question)),
      chatLine("wrong", "hello", "unknown"),
    ]);
    const metrics = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();
    expect(await metrics()).toContain('levin_jobs{queue="batch",state="waiting"} 3');

    const directory = fileURLToPath(sparkDirectory);
    const worker = await startServerProcess(
      ...["worker", "--redis", redis.url, "--model", directory, "--model-id", "small"],
    );
    const batch = () => server.openai.batches.retrieve(id);
    await expect.poll(async () => (await batch()).status, { timeout: 50_000 }).toBe("completed");
    const answers = await replies(server.openai, (await batch()).output_file_id);
    expect(answers.map(({ response }) => response!.body.choices[0]!.message.content)).toEqual([
      "42",
      "125",
    ]);
    const text = await metrics();
    for (const line of [
      'levin_jobs{queue="batch",state="waiting"} 0',
      'levin_jobs{queue="batch",state="active"} 0',
      'levin_jobs_ended_total{queue="batch",outcome="completed"} 2',
      'levin_jobs_ended_total{queue="batch",outcome="failed"} 1',
    ]) {
      expect(text).toContain(line);
    }
    expect(await worker.end()).toBe(0);
  });
});
