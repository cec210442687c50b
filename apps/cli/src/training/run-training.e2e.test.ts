import {
  access,
  appendFile,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levin, repository } from "../testing/run-levin.ts";
import { tinyRecipe } from "../testing/tiny-recipe.ts";
import { logOf, trainTiny, type EndedTraining } from "../testing/train-tiny.ts";
import { readRecipe, type Recipe } from "./recipe.ts";
import { starterNames, writeStarter } from "./starter-recipes.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-training-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const trained = (
  output: string,
  changes: Partial<Recipe>,
  flags: string[] = [],
): Promise<EndedTraining> => trainTiny({ folder, output, changes, flags });

/** Conversations that teach one thing. */
const conversations = Array.from({ length: 20 }, (_, i) =>
  JSON.stringify({
    messages: [
      { role: "user", content: `Word ${i}?` },
      { role: "assistant", content: "blue", reasoning_content: "It is always blue." },
    ],
  }),
).join("\n");

const datasets = [{ path: "colours.jsonl", weight: 3, heldOutShare: 0.2 }];

describe("levin train", { timeout: 180_000 }, () => {
  it("learns a file of conversations, judges what it held out, and keeps the best", async () => {
    await writeFile(join(folder, "colours.jsonl"), conversations);
    const { code, stderr, lines } = await trained("colours", {
      sources: { datasets, tasks: { ...tinyRecipe.sources.tasks!, weight: 1 } },
      steps: 90,
      examplesPerStep: 4,
      learningRate: 0.03,
      checkpointEvery: 90,
      evaluation: { every: 45, problemsPerTask: 1, maxNewTokens: 24, samples: 1 },
    });
    expect(stderr).toMatch(
      /^\S*colours.jsonl: 20 conversations, 0 cut to 2048 tokens, 0 left out as too long\n$/,
    );
    expect(code).toBe(0);
    const evaluations = (await logOf(folder, "colours")).filter((line) => "heldOutLoss" in line);
    const [first, last] = evaluations.map(
      (line) => (line["heldOutLosses"] as Record<string, number>)["colours.jsonl"]!,
    );
    expect(last).toBeLessThan(first!);
    expect(last).toBeLessThan(1);
    expect(evaluations[1]).toMatchObject({ step: 90, accuracy: expect.any(Number) as number });
    const samples = await logOf(folder, "colours", "samples");
    expect(samples.map(({ step, source }) => [step, source])).toEqual([
      [45, "tasks"],
      [45, "colours.jsonl"],
      [90, "tasks"],
      [90, "colours.jsonl"],
    ]);
    expect(samples[3]!["prompt"]).toMatch(/Word \d+\?/);
    expect(lines.filter((line) => line.startsWith("held out | loss"))).toHaveLength(2);
    expect(await readdir(join(folder, "colours/best"))).toEqual(
      await readdir(join(folder, "colours/model")),
    );
  });

  it("trains an adapter alone, goes on with it, and folds it into a model", async () => {
    const base = join(folder, "colours/model");
    const { newModel: _, ...rest } = tinyRecipe;
    const lora = { rank: 2, alpha: 4 };
    const changes = { ...rest, newModel: undefined, sources: { datasets }, lora };
    const run = (output: string, ...flags: string[]): Promise<EndedTraining> =>
      trained(output, changes as unknown as Partial<Recipe>, ["--from", base, ...flags]);
    expect((await run("straight", "--steps", "6")).code).toBe(0);
    expect((await run("adapted", "--steps", "3")).code).toBe(0);
    expect((await run("adapted", "--steps", "6")).lines).toHaveLength(3);
    expect((await readdir(join(folder, "adapted/adapter"))).toSorted()).toEqual([
      "adapter_config.json",
      "adapter_model.safetensors",
    ]);
    const bytes = (output: string): Promise<Buffer> =>
      readFile(join(folder, output, "model/model.safetensors"));
    expect((await bytes("adapted")).equals(await readFile(join(base, "model.safetensors")))).toBe(
      false,
    );
    expect((await readdir(join(folder, "adapted/checkpoints/step-0000006"))).toSorted()).toEqual([
      "adapter_config.json",
      "adapter_model.safetensors",
      "optimizer.safetensors",
      "training.json",
    ]);

    const other = join(folder, "other-base");
    await cp(base, other, { recursive: true });
    const values = await readFile(join(other, "model.safetensors"));
    values[values.length - 1]! ^= 1;
    await writeFile(join(other, "model.safetensors"), values);
    const changed = await run("adapted", "--from", other);
    expect(changed.code).toBe(1);
    expect(changed.stderr).toMatch(
      /^TrainingCheckpointError: \S+ written with other settings: base model: expected "\w{16}", found "\w{16}"\n$/,
    );
    const data = join(folder, "colours.jsonl");
    await appendFile(data, "\n\n");
    const { stderr } = await run("adapted");
    expect(stderr).toMatch(/other settings: contents of \S+colours\.jsonl: expected "\w{16}"/);
    await rm(data);
    expect((await run("adapted")).stderr).toMatch(
      /^RecipeError: \S+colours\.jsonl: can't be read: ENOENT/,
    );
    await writeFile(data, conversations);

    const used = await levin("generate", "Word 3?", "--model", join(folder, "adapted/model"));
    expect(used.code).toBe(0);
  });

  it("ends when the held-out loss falls no more", async () => {
    const maxTokens = 2048;
    const changes: Partial<Recipe> = {
      sources: { datasets },
      // Too fast to learn anything.
      learningRate: 30,
      warmupSteps: 1,
      steps: 40,
      contextStages: [
        { untilStep: 36, maxTokens },
        { untilStep: 40, maxTokens, ropeTheta: 1e6 },
      ],
      evaluation: { every: 2, problemsPerTask: 0, maxNewTokens: 2, samples: 0, patience: 2 },
    };
    const { code, stderr } = await trained("early", changes);
    expect(code).toBe(0);
    expect(stderr).toMatch(/ended after step \d+: the held-out loss falls no more; see best\/\n$/);
    const lines = await logOf(folder, "early");
    expect(lines.at(-1)!.step).toBeLessThan(36);
    await access(join(folder, "early/best/model.safetensors"));
    const again = await trained("early", changes);
    expect(again.lines).toEqual([]);
    expect(await logOf(folder, "early")).toEqual(lines);
    // The second stage, with another context, was never reached.
    const config = await readFile(join(folder, "early/model/config.json"), "utf8");
    expect(JSON.parse(config)).toMatchObject({ rope_theta: 10_000 });
  });

  it("begins with a starter, which is a recipe, and never writes over a file", async () => {
    const path = join(folder, "mine.json");
    for (const name of starterNames) {
      await writeStarter(name, path);
      expect((await readRecipe(path)).steps).toBeGreaterThan(0);
      await expect(writeStarter(name, path)).rejects.toThrow(/mine.json: .*EEXIST/);
      await rm(path);
    }
    expect(await levin("train", path, "--init", "magic")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/expected fine-tune or reasoning, found magic/) as string,
    });
    expect(await levin("train", path, "--init", "reasoning")).toMatchObject({ code: 0 });
  });

  it.each(["recipe.json", "recipe-2.json"])("reads spark's own %s", async (name) => {
    const { sources } = await readRecipe(join(repository, "packages/spark/training", name));
    expect(sources.tasks!.weight + sources.dialogues!.weight).toBeCloseTo(1, 9);
  });

  it.each([
    ["sources that are none", { sources: {} }, /sources.*/],
    [
      "stages that do not follow each other",
      {
        contextStages: [
          { untilStep: 5, maxTokens: 9 },
          { untilStep: 5, maxTokens: 9 },
        ],
      },
      /expected more than 5/,
    ],
    [
      "examples longer than a batch",
      { contextStages: [{ untilStep: 5, maxTokens: 9999 }] },
      /expected at most 2048/,
    ],
    ["an adapter of a new model", { lora: { rank: 1, alpha: 1 } }, /found newModel/],
    ["a name that is none", { sauces: {} }, /sauces/],
  ])("refuses a recipe with %s", async (_, changes, problem) => {
    const path = join(folder, "wrong.json");
    await writeFile(path, JSON.stringify({ ...tinyRecipe, ...changes }));
    await expect(readRecipe(path)).rejects.toThrow(problem);
  });
});
