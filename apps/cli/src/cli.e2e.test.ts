import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finalAnswer } from "@levin/tasks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levin, levinWithInput, repository } from "./testing/run-levin.ts";
import { tinyRecipe } from "./testing/tiny-recipe.ts";

const fixtures = join(repository, "packages/model/src/__fixtures__");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("levin", () => {
  it("lists its commands, and fails on others", async () => {
    const [{ code, stdout }, unknown] = await Promise.all([levin("--help"), levin("dance")]);
    expect(code).toBe(0);
    for (const command of ["chat", "generate", "serve", "train", "eval", "inspect", "parity"]) {
      expect(stdout).toContain(`\n  ${command}`);
    }
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/unknown command/) as string,
    });
  });

  it("serve and worker take the flags of levin-server, and say what is wrong with one in a line", async () => {
    const elsewhere = ["--upstream", "http://127.0.0.1:1", "--max-prompt-tokens", "5"];
    const wrong: [command: string[], line: RegExp][] = [
      [["worker"], /^FlagError: expected the Redis of the servers/],
      [["serve", "--queue", "many"], /^FlagError: --queue: expected .*"many"\n$/],
      [["serve", "--nope"], /Unknown option '--nope'.*\n$/],
      [
        ["serve", ...elsewhere],
        /^FlagError: --max-prompt-tokens: this server has no tokenizer.*\n$/,
      ],
    ];
    const [help, ...outcomes] = await Promise.all([
      levin("serve", "--help"),
      ...wrong.map(([command]) => levin(...command)),
    ]);
    expect(help.code).toBe(0);
    for (const flag of ["--data", "--request-timeout", "--log-level"])
      expect(help.stdout).toContain(flag);
    for (const [i, { code, stderr }] of outcomes.entries()) {
      expect([code, stderr]).toEqual([1, expect.stringMatching(wrong[i]![1])]);
      expect(stderr).not.toContain("    at ");
    }
  });

  it("parity passes on golden files, and exits with 1 when a weight is off", async () => {
    const good = join(fixtures, "parity/b_all_lightning");
    const passed = await levin("parity", "--json", good);
    expect(passed.code).toBe(0);
    const { quantities } = JSON.parse(passed.stdout) as { quantities: { quantity: string }[] };
    expect(quantities.map(({ quantity }) => quantity)).toContain("lightning_state.prefill");

    const bad = join(folder, "bad");
    await cp(good, bad, { recursive: true });
    const bytes = await readFile(join(bad, "model.safetensors"));
    bytes[bytes.length - 2]! ^= 0x40;
    await writeFile(join(bad, "model.safetensors"), bytes);
    const missed = await levin("parity", bad, good);
    expect(missed.code).toBe(1);
    expect(missed.stdout).toContain("MISS");
    expect(missed.stdout).toContain(good);
  });

  it("inspect counts the parameters of the full M1", async () => {
    const { code, stdout } = await levin("inspect", join(fixtures, "m1-config.json"), "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ parameters: { total: 456_089_655_296 } });
  });

  it("generate answers with spark, within a thinking budget", async () => {
    const { code, stdout } = await levin(
      "generate",
      "What is 12 plus 30?",
      "--json",
      "--thinking-budget",
      "20",
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      text: expect.stringMatching(/\S/) as string,
      finishReason: "stop",
      usage: { reasoningTokens: 20 },
    });
  });

  it("generate lets several samples vote, and refuses none", async () => {
    const ask = (...flags: string[]) =>
      levin("generate", "What is 12 plus 30?", "--json", "--seed", "1", ...flags);
    const [drawn, voted, none] = await Promise.all([
      ask("--samples", "5"),
      ask("--samples", "5", "--vote"),
      ask("--samples", "0"),
    ]);
    const texts = (JSON.parse(drawn.stdout) as { text: string }[]).map(({ text }) => text);
    expect(texts).toHaveLength(5);
    const { text, votes, samples } = JSON.parse(voted.stdout) as Record<string, unknown>;
    expect({ text, samples }).toEqual({ text: "42", samples: 5 });
    expect(texts.filter((other) => finalAnswer(other) === "42")).toHaveLength(votes as number);
    expect(none).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/GenerationOptionsError: count: .*found 0\n$/) as string,
    });
  });

  it("generate answers in stages what it answers whole, and refuses stages that it has no layers for", async () => {
    const ask = (...flags: string[]) =>
      levin("generate", "What is 12 plus 30?", "--json", ...flags);
    const [whole, staged, refused] = await Promise.all([
      ask(),
      ask("--stages", "3"),
      ask("--stages", "99"),
    ]);
    expect(staged.code).toBe(0);
    expect(JSON.parse(staged.stdout)).toEqual(JSON.parse(whole.stdout));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^.*stages: expected a whole number from 1 to \d+ .*, found 99\n$/,
    );
  });

  it("chat answers a conversation from standard input, later turns too", async () => {
    const questions = "What is 12 plus 30?\nSort from smallest to largest: 42, 7, 19, 23.\n";
    const { code, stdout } = await levinWithInput(questions, "chat");
    expect(code).toBe(0);
    const answers = stdout.split("\n").map((line) => line.replace(/^you> /, "").trim());
    expect(answers).toContain("42");
    expect(answers).toContain("7 19 23 42");
  });

  it("train goes on where it was stopped, and its model can be used", async () => {
    const small = {
      ...tinyRecipe,
      steps: 4,
      examplesPerStep: 1,
      warmupSteps: 1,
      checkpointEvery: 2,
    };
    const path = join(folder, "recipe.json");
    await writeFile(path, JSON.stringify(small));
    const output = join(folder, "run");
    const first = await levin(
      "train",
      path,
      "--output",
      output,
      "--steps",
      "2",
      "--backend",
      "cpu",
    );
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/step 2 \| loss/) as string,
    });
    const second = await levin("train", path, "--output", output, "--json");
    expect(second.code).toBe(0);
    const steps = second.stdout.trim().split("\n");
    expect(steps.map((line) => (JSON.parse(line) as { step: number }).step)).toEqual([3, 4]);
    expect((await readdir(join(output, "model"))).toSorted()).toEqual([
      "config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    await writeFile(path, JSON.stringify({ ...small, seed: 1 }));
    expect(await levin("train", path, "--output", output)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/TrainingCheckpointError.*seed/) as string,
    });
    const { newModel: _newModel, ...further } = small;
    const { tasks } = tinyRecipe.sources;
    const sources = { tasks: { ...tasks, historyShare: 1 } };
    await writeFile(path, JSON.stringify({ ...further, sources, steps: 1 }));
    const from = ["--from", join(output, "model")];
    const tuned = await levin("train", path, ...from, "--output", join(folder, "tuned"));
    expect(tuned).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/step 1 \| loss/) as string,
    });
    await writeFile(path, JSON.stringify(small));
    const both = await levin("train", path, "--output", join(folder, "none"), "--from", output);
    expect(both).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/RecipeError.*found both/) as string,
    });
    const answer = await levin(
      "generate",
      "x",
      "--model",
      join(output, "model"),
      "--max-tokens",
      "3",
    );
    expect(answer.code).toBe(0);
  }, 120_000);

  it("says in one line what is wrong with a broken model, recipe or flag", async () => {
    const recipe = join(folder, "broken.json");
    await writeFile(recipe, '{"steps": "many"}');
    const wrong: [command: string[], line: RegExp][] = [
      [["generate", "x", "--model", folder], /ENOENT.*tokenizer.json/],
      [["parity", folder], /CheckpointError/],
      [["train", recipe, "--output", folder], /RecipeError/],
      [["generate", "x", "--top-k", "abc"], /expected a number, found "abc"/],
      [
        ["generate", "x", "--backend", "abacus"],
        /expected a backend of wasm, .*webgpu.*, found "abacus"/,
      ],
    ];
    const outcomes = await Promise.all(wrong.map(([command]) => levin(...command)));
    expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual(
      wrong.map(([, line]) => [1, expect.stringMatching(line)]),
    );
  });
});
