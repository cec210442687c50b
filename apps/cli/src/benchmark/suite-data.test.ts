import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, glue, MissingDataError, superglue, type Item } from "@levin/evaluation";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { repository } from "../testing/run-levin.ts";
import { runSuite } from "./run-suite.ts";
import {
  chosenTasks,
  firstItems,
  SuiteSettingsError,
  type SuiteSettings,
} from "./suite-settings.ts";

const fixtures = join(repository, "packages/evaluation/src/__fixtures__/glue");
let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "levin-data-"));
});
afterEach(() => rm(data, { recursive: true }));

/** A run that ends before it needs a model. */
async function run(
  settings: Partial<SuiteSettings>,
): Promise<{ error: unknown; notices: string[] }> {
  const notices: string[] = [];
  const quiet = { onAnswered: () => {}, onStep: () => {}, onResult: () => {} };
  const events = {
    ...quiet,
    onNotice: (text: string) => void notices.push(text),
    signal: new AbortController().signal,
  };
  const defaults: SuiteSettings = {
    ...{ data, output: join(data, "out"), backend: "cpu", split: "dev", method: "likelihood" },
    ...{ shots: 0, seed: 0, maxTokens: 8, pooling: "mean", epochs: 1, batchSize: 1 },
    ...{ learningRate: 0.001, maxLength: 8, checkpointEvery: 1 },
  };
  const error = await runSuite(glue, { ...defaults, ...settings }, events).catch(
    (caught: unknown) => caught,
  );
  return { error, notices };
}

describe("data of levin eval glue", () => {
  it("has no task at all", async () => {
    const { error, notices } = await run({});
    expect(error).toBeInstanceOf(MissingDataError);
    expect((error as Error).message).toBe(
      `--data: expected files of a task of GLUE in ${data}, found none`,
    );
    expect(notices).toHaveLength(glue.tasks.length);
  });

  it("lacks the training set that shots come from", async () => {
    await cp(join(fixtures, "RTE"), join(data, "RTE"), { recursive: true });
    await rm(join(data, "RTE/train.tsv"));
    const { error, notices } = await run({ shots: 1 });
    expect(error).toBeInstanceOf(MissingDataError);
    expect(notices.at(-1)).toMatch(/^left out: RTE, train: expected .*train\.tsv, found no such/);
    expect((await run({ shots: 1, tasks: "rte" })).error).toBeInstanceOf(MissingDataError);
  });

  it("has fewer training examples than shots", async () => {
    await cp(join(fixtures, "RTE"), join(data, "RTE"), { recursive: true });
    const { error } = await run({ shots: 5, tasks: "rte" });
    expect(error).toBeInstanceOf(SuiteSettingsError);
    expect((error as Error).message).toBe(
      "--shots: expected at most 4, the training examples of RTE, found 5",
    );
  });

  it("has a broken training set", async () => {
    await cp(join(fixtures, "RTE"), join(data, "RTE"), { recursive: true });
    await writeFile(join(data, "RTE/train.tsv"), "index\tsentence1\n");
    expect((await run({ shots: 1 })).error).toBeInstanceOf(DataError);
  });
});

it("--tasks measures a task once", () => {
  expect(chosenTasks(superglue, "rte, cb,rte").map(({ name }) => name)).toEqual(["rte", "cb"]);
});

describe("firstItems", () => {
  const items = (groups: string): Item[] =>
    Array.from(groups, (group, i) => ({
      ...{ id: String(i), fields: {} },
      ...(group !== "-" && { group }),
    }));

  it.each([
    ["----", 2, 2],
    ["----", 9, 4],
    ["aabb", 3, 2],
    ["aabb", 4, 4],
    // One group at least.
    ["aabb", 1, 2],
    ["aaab", 1, 3],
  ])("keeps together what is judged together: %s, %i", (groups, limit, count) => {
    expect(firstItems(items(groups), limit)).toHaveLength(count);
  });

  it("keeps all without a limit", () => {
    expect(firstItems(items("aab"))).toHaveLength(3);
  });
});
