import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levin, repository } from "./testing/run-levin.ts";

const spark = join(repository, "packages/spark/checkpoint");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-quantize-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("levin quantize", () => {
  it.each(["8", "4"])("writes spark in %s bits, which then can be used", async (bits) => {
    const output = join(folder, `spark-${bits}`);
    const made = await levin("quantize", spark, "--bits", bits, "--output", output, "--json");
    expect(made.code).toBe(0);
    const { bytes, bfloat16Bytes } = JSON.parse(made.stdout) as Record<string, number>;
    expect(bytes! / bfloat16Bytes!).toBeLessThan(bits === "8" ? 0.6 : 0.35);
    expect((await readdir(output)).toSorted()).toEqual((await readdir(spark)).toSorted());
    const file = await stat(join(output, "model.safetensors"));
    // The header of names is all that is not weights.
    expect(file.size).toBeGreaterThan(bytes!);
    expect(file.size).toBeLessThan(bytes! + 64 * 1024);

    const inspected = await levin("inspect", output);
    expect(inspected.stdout).toMatch(new RegExp(`stored +int${bits}, \\d`));
    const again = await levin("quantize", output, "--bits", "8", "--output", join(folder, "no"));
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/CheckpointError.*expected float weights/) as string,
    });
    const prompt = "What is 12 plus 30?";
    const answer = await levin(
      "generate",
      prompt,
      "--model",
      output,
      "--max-tokens",
      "9",
      "--json",
    );
    expect(answer.code).toBe(0);
  });

  it("says which flags it needs", async () => {
    const [three, nowhere] = await Promise.all([
      levin("quantize", spark, "--bits", "3", "--output", folder),
      levin("quantize", spark, "--bits", "8"),
    ]);
    expect(three).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/expected 8 or 4, found "3"/) as string,
    });
    expect(nowhere.stderr).toMatch(/--output/);
  });
});

describe("levin eval", () => {
  it("gives the perplexity of held-out replies, which 8 bits hardly change", async () => {
    const output = join(folder, "eval-8");
    await levin("quantize", spark, "--bits", "8", "--output", output);
    const all = async (model: string): Promise<Record<string, number>> => {
      const run = ["eval", "--model", model, "--count", "2", "--max-difficulty", "0.2"];
      const tasks = "addition, comparison,letter-counting";
      const { stdout } = await levin(...run, "--tasks", tasks, "--max-tokens", "1", "--json");
      const lines = stdout.trim().split("\n");
      return JSON.parse(lines.at(-1)!) as Record<string, number>;
    };
    const [plain, quantised] = await Promise.all([all(spark), all(output)]);
    expect(plain).toMatchObject({ task: "all", count: 6 });
    expect(plain["replyTokens"]).toBe(quantised["replyTokens"]);
    expect(plain["perplexity"]).toBeCloseTo(Math.exp(plain["crossEntropy"]!), 9);
    const change = quantised["perplexity"]! / plain["perplexity"]!;
    expect(Math.abs(change - 1)).toBeLessThan(0.02);
  });

  it("tells accuracy of the named tasks and of all, and what was answered wrongly", async () => {
    const ask = ["eval", "--count", "3", "--max-difficulty", "0.1"];
    const { code, stdout } = await levin(...ask, "--tasks", "comparison,copying");
    expect(code).toBe(0);
    expect(
      stdout.split("\n").map((line) => /^\S+ +\d+\.\d %/.exec(line)?.[0].split(" ")[0]),
    ).toEqual(["comparison", "copying", "all", undefined]);
    const short = await levin(
      ...ask,
      "--tasks",
      "copying",
      "--max-tokens",
      "1",
      "--misses",
      "--json",
    );
    const lines = short.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toMatchObject({ task: "copying", count: 3, correct: 0, accuracy: 0 });
    expect(lines.slice(1, 4).map((line) => Object.keys(line))).toEqual(
      Array.from({ length: 3 }, () => ["prompt", "answer", "reply"]),
    );
    expect(lines[4]).toMatchObject({ task: "all", count: 3, correct: 0 });
  });

  it("names the tasks that there are", async () => {
    const { code, stderr } = await levin("eval", "--tasks", "copying,juggling");
    expect(code).toBe(1);
    expect(stderr).toMatch(/tasks: expected some of addition, .*, found "juggling"\n/);
  });
});
