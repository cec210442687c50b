import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel, parseConfig, planModel, softmaxTwin } from "@levin/model";
import { readConfig, saveModel } from "@levin/model/node";
import { sparkDirectory } from "@levin/spark";
import { initialiseParameters } from "@levin/training";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plannedFlops } from "./compute-cost.ts";
import type { ThinkingRecord } from "./thinking-record.ts";

const run = promisify(execFile);
const main = join(import.meta.dirname, "../main.ts");
const bench = (...args: string[]) =>
  run(process.execPath, ["--conditions=@levin/source", main, "thinking", ...args]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-thinking-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Spark's shape and tokenizer with softmax attention in every layer. */
async function saveRandomTwin(directory: string): Promise<void> {
  const spark = fileURLToPath(sparkDirectory);
  const config = softmaxTwin(await readConfig(spark));
  await selectBackend("cpu");
  const twin = new CausalLanguageModel(config, initialiseParameters(config, 1));
  await saveModel(directory, twin);
  twin.dispose();
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(join(spark, name), join(directory, name));
  }
}

describe("bench thinking", () => {
  it("asks spark within budgets and by samples, and writes what both cost", async () => {
    const sizes = [
      "--count",
      "2",
      "--timed",
      "1",
      "--long",
      "64,256",
      "--max-difficulty",
      "0.2",
      "--answer-tokens",
      "32",
    ];
    const points = ["--tasks", "addition,copying", "--budgets", "64,0", "--samples", "1,3"];
    const twin = join(folder, "softmax-twin");
    await saveRandomTwin(twin);
    const { stdout } = await bench(...sizes, ...points, "--twin", twin, "--output", folder);
    const text = await readFile(join(folder, "thinking.json"), "utf8");
    const record = JSON.parse(text) as ThinkingRecord;
    expect(record).toMatchObject({ model: "spark", problems: 2, timed: 1 });

    const [none, some] = record.budgets;
    expect([none!.budget, some!.budget]).toEqual([0, 64]);
    expect(none!.cost.tokens.thought).toBe(0);
    expect(some!.cost.tokens.thought).toBeGreaterThan(0);
    expect(some!.cost.tokens.thought).toBeLessThanOrEqual(64);
    expect(some!.cost.hybrid.flops).toBeGreaterThan(none!.cost.hybrid.flops);
    expect(some!.scores.tasks.map(({ task, count }) => [task, count])).toEqual([
      ["addition", 2],
      ["copying", 2],
    ]);
    expect(some!.scores.all.correct).toBe(
      some!.scores.tasks.reduce((sum, { correct }) => sum + correct, 0),
    );

    const [single, three] = record.samples;
    expect(single!.vote).toEqual(single!.best);
    expect(three!.best.all.correct).toBeGreaterThanOrEqual(three!.vote.all.correct);
    expect(three!.best.all.correct).toBeGreaterThanOrEqual(single!.best.all.correct);
    expect(three!.cost.tokens.prompt).toBe(single!.cost.tokens.prompt);
    expect(three!.cost.tokens.thought).toBeGreaterThan(single!.cost.tokens.thought);

    const { trainedTwin } = record;
    expect(trainedTwin!.model).toBe("softmax-twin");
    expect(trainedTwin!.budgets.map(({ scores }) => scores.all.count)).toEqual([4, 4]);
    for (const { cost } of [...record.budgets, ...record.samples, ...trainedTwin!.budgets]) {
      for (const one of [cost.hybrid, cost.softmax]) {
        for (const value of Object.values(one)) expect(value).toBeGreaterThan(0);
      }
    }
    const [short, long] = record.long;
    expect(long!.hybrid.stateBytes).toBeLessThan(long!.softmax.stateBytes);
    expect(long!.softmax.seconds).toBeGreaterThan(short!.softmax.seconds);
    expect(stdout).toContain("| `copying` |");
    expect(await readFile(join(folder, "thinking.svg"), "utf8")).toContain("majority vote");
  });
});

describe("plannedFlops", () => {
  it("adds up what the planner says of each token", () => {
    const config = parseConfig({
      model_type: "minimax_m1",
      vocab_size: 64,
      hidden_size: 32,
      num_hidden_layers: 2,
      attn_type_list: [0, 1],
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 8,
      num_local_experts: 4,
      num_experts_per_tok: 2,
      intermediate_size: 16,
    });
    const { contexts } = planModel(config, [6, 7, 8, 9]);
    const sum = (key: "flopsPerToken" | "softmaxTwinFlopsPerToken") =>
      contexts.reduce((total, context) => total + context[key], 0);
    const flops = plannedFlops(config);
    expect(flops.hybrid(5, 9)).toBe(sum("flopsPerToken"));
    expect(flops.softmax(5, 9)).toBe(sum("softmaxTwinFlopsPerToken"));
    expect(flops.hybrid(5, 5)).toBe(0);
  });
});
