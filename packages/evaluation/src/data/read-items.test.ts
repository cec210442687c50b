import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Suite } from "../suites/benchmark-task.ts";
import { glue } from "../suites/glue.ts";
import { superglue } from "../suites/superglue.ts";
import { DataError, MissingDataError } from "./data-error.ts";
import type { Item, Split } from "./item.ts";
import { readItems } from "./read-items.ts";

const fixtures = fileURLToPath(new URL("../__fixtures__", import.meta.url));

function read(suite: Suite, name: string, split: Split, folder = fixtures): Promise<Item[]> {
  const task = suite.tasks.find((each) => each.name === name)!;
  return readItems(join(folder, suite.name), suite, task, split);
}

describe.each([glue, superglue])("the official files of $title", (suite) => {
  const all = suite.tasks.flatMap((task) =>
    (["train", "dev", "test"] as const)
      .filter((split) => task.sources[split].length > 0)
      .map((split) => [task.name, split] as const),
  );

  it.each(all)(
    "%s, %s: every item has an index of its own and what its template names",
    async (name, split) => {
      const task = suite.tasks.find((each) => each.name === name)!;
      const items = await read(suite, name, split);
      expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
      const { text, question = "", continuation = "" } = task.template;
      const named = [...`${text}${question}${continuation}`.matchAll(/\{(\w+)\}/g)]
        .map((match) => match[1]!)
        .filter((field) => field !== "choice");
      for (const item of items) {
        for (const field of named) expect(item.fields[field]).toEqual(expect.any(String));
        expect(item.choices !== undefined).toBe(task.kind.type === "choice");
        if (split !== "test") expect(item.label).toBeGreaterThanOrEqual(0);
        // SuperGLUE's diagnostics are one file, labelled here, for both.
        else if (!name.startsWith("ax-")) expect(item.label).toBeUndefined();
      }
    },
  );
});

describe("quirks of GLUE's files", () => {
  it("CoLA has a header in its test set only, and quotes are characters", async () => {
    const train = await read(glue, "cola", "train");
    expect(train).toHaveLength(8);
    expect(train[2]).toEqual({
      id: "2",
      fields: { sentence: 'She reads "books every day.' },
      label: 1,
    });
    expect((await read(glue, "cola", "test")).map(({ id }) => id)).toEqual(["0", "1"]);
  });

  it("MRPC is parted by dev_ids.tsv, behind a byte order mark and carriage returns", async () => {
    const [train, dev] = [await read(glue, "mrpc", "train"), await read(glue, "mrpc", "dev")];
    expect([train.length, dev.length]).toEqual([4, 2]);
    expect(dev.map(({ fields, label }) => [fields["first"], fields["second"], label])).toEqual([
      ["They met in May.", "In May they met.", 1],
      ["She sold her car.", "He painted a wall.", 0],
    ]);
    expect(train[1]!.fields["first"]).toBe('Rain fell in "Oslo.');
  });

  it("QQP's rows that are cut off are left out", async () => {
    expect((await read(glue, "qqp", "train")).map(({ id }) => id)).toEqual(["0", "1", "2", "3"]);
  });

  it("MNLI's label is gold_label, whatever the five annotators said", async () => {
    const dev = await read(glue, "mnli-m", "dev");
    expect(dev.map(({ label }) => label)).toEqual([0, 1, 2]);
    const other = await read(glue, "mnli-mm", "dev");
    expect(other[0]!.fields).toEqual({
      first: "Three birds flew off.",
      second: "Some birds flew off.",
    });
  });

  it("STS-B's labels are scores", async () => {
    expect((await read(glue, "stsb", "train")).map(({ label }) => label)).toEqual([5, 0.5, 4.2, 1]);
  });
});

describe("nested records of SuperGLUE", () => {
  it("MultiRC's answers are items that belong to questions", async () => {
    const dev = await read(superglue, "multirc", "dev");
    expect(dev.map(({ id, group, label }) => [id, group, label])).toEqual([
      ["1-1-3", "1-1", 1],
      ["1-1-4", "1-1", 0],
      ["1-2-5", "1-2", 1],
      ["1-2-6", "1-2", 0],
      ["2-3-7", "2-3", 1],
      ["2-3-8", "2-3", 0],
    ]);
    expect(dev[2]!.fields).toEqual({
      paragraph: "Paul waited until noon.",
      question: "Who waited?",
      answer: "Paul",
    });
  });

  it("ReCoRD's entities are cut out by Python's positions, each text once", async () => {
    const [first] = await read(superglue, "record", "dev");
    // The passage begins with an emoji, which JavaScript counts as two.
    expect(first!.choices).toEqual(["Mara Lind", "Joe Park", "Turin", "Park", "Lind"]);
    expect(first).toMatchObject({ id: "0", answers: ["Joe Park", "Park"], label: 1 });
    expect(first!.fields).toMatchObject({ before: "", after: " went away after the meeting" });
    expect(first!.fields["passage"]).toBe(
      "😀 Mara Lind met Joe Park in Turin. Park then left.\nLind stays in Turin",
    );
  });

  it("COPA's premise goes on to its choices", async () => {
    const [effect, cause] = await read(superglue, "copa", "dev");
    expect([effect!.fields, cause!.fields]).toEqual([
      { premise: "She was tired", connective: "so" },
      { premise: "The bus was late", connective: "because" },
    ]);
  });

  it("WiC's and BoolQ's labels are truth values, Winogender's items come in pairs", async () => {
    expect((await read(superglue, "wic", "train")).map(({ label }) => label)).toEqual([1, 0]);
    expect((await read(superglue, "boolq", "train")).map(({ label }) => label)).toEqual([0, 1]);
    expect((await read(superglue, "ax-g", "dev")).map(({ group }) => group)).toEqual([
      ...["0", "0", "1", "1"],
    ]);
  });
});

describe("files that are not as they should be", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "levin-glue-"));
    await cp(fixtures, folder, { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Changes a file's text. */
  async function change(path: string, from: string, to: string): Promise<string> {
    const file = join(folder, path);
    const text = await readFile(file, "utf8");
    expect(text).toContain(from);
    await writeFile(file, text.replace(from, to));
    return file;
  }

  it.each([
    [
      "glue/SST-2/dev.tsv",
      "sst2",
      "great fun \t1",
      "great fun \t2",
      2,
      "a label among 0, 1",
      '"2"',
    ],
    [
      "glue/SST-2/dev.tsv",
      "sst2",
      "great fun \t",
      "great fun ",
      2,
      "2 columns parted by tabs",
      '1: "great fun 1"',
    ],
    ["glue/SST-2/dev.tsv", "sst2", "\tlabel", "\tlable", 1, 'a column "label"', '"sentence lable"'],
    ["glue/STS-B/dev.tsv", "stsb", "3.800", "38", 2, "a score from 0 to 5", '"38"'],
    ["glue/STS-B/dev.tsv", "stsb", "0.000", "", 3, "a score from 0 to 5", '""'],
    [
      "glue/RTE/dev.tsv",
      "rte",
      "not_entailment",
      "neutral",
      3,
      "a label among entailment, not_entailment",
      '"neutral"',
    ],
    ["superglue/CB/val.jsonl", "cb", '"neutral"', '"maybe"', 3, /label: .*entailment/, '"maybe"'],
    [
      "superglue/COPA/val.jsonl",
      "copa",
      '"choice1"',
      '"choice3"',
      1,
      /choice1: .*expected string/,
      "nothing",
    ],
    ["superglue/COPA/val.jsonl", "copa", "{", "", 1, "a JSON object", /^"\\"premise/],
    [
      "superglue/AX-g/AX-g.jsonl",
      "ax-g",
      '"The farmer would come."',
      '"The farmer came."',
      3,
      "two lines of one hypothesis after each other",
      '["The farmer came.","The farmer would come."]',
    ],
    [
      "superglue/MultiRC/val.jsonl",
      "multirc",
      '"label": 1',
      '"label": 7',
      1,
      /passage.questions.0.answers.0.label: /,
      "7",
    ],
    [
      "superglue/ReCoRD/val.jsonl",
      "record",
      "@placeholder",
      "somebody",
      1,
      "@placeholder in query 0",
      /somebody went/,
    ],
    [
      "superglue/ReCoRD/val.jsonl",
      "record",
      '"end": 10',
      '"end": 999',
      1,
      /an entity within the 81 characters/,
      "2 to 999",
    ],
  ] as const)("%s, %s: %s → %s", async (path, name, from, to, line, expected, found) => {
    const file = await change(path, from, to);
    const suite = path.startsWith("glue/") ? glue : superglue;
    const error = await read(suite, name, "dev", folder).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DataError);
    const { message, ...parts } = error as DataError;
    expect(parts).toMatchObject({ file, line });
    expect(parts.expected).toMatch(expected);
    expect(parts.found).toMatch(found);
    expect(message).toBe(`${file}:${line}: expected ${parts.expected}, found ${parts.found}`);
  });

  it("says what is missing and where it can be had", async () => {
    await rm(join(folder, "glue/CoLA"), { recursive: true });
    const error = await read(glue, "cola", "dev", folder).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(MissingDataError);
    expect((error as Error).message).toMatch(
      /^CoLA, dev: expected .*CoLA\/dev\.tsv or .*raw\/in_domain_dev\.tsv, found no such file; GLUE's data can be had from https:\/\/gluebenchmark\.com\/tasks/,
    );
    await writeFile(join(folder, "glue/RTE/dev.tsv"), "index\tsentence1\tsentence2\tlabel\n");
    await expect(read(glue, "rte", "dev", folder)).rejects.toThrow(/expected examples, found none/);
    await expect(read(glue, "ax", "train", folder)).rejects.toThrow("AX has no train split");
    await rm(join(folder, "glue/RTE/test.tsv"));
    await cp(join(folder, "glue/QQP"), join(folder, "glue/RTE/test.tsv"), { recursive: true });
    await expect(read(glue, "rte", "test", folder)).rejects.toThrow(/can't be read: EISDIR/);
  });

  it("refuses an index that stands twice, which would answer one example for the other", async () => {
    const file = await change("glue/RTE/dev.tsv", "\n1\t", "\n0\t");
    const error = await read(glue, "rte", "dev", folder).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toBe(
      `${file}: expected each example's index once, found 0 again`,
    );
  });

  it("refuses examples without labels, but for test sets", async () => {
    const [val, test] = ["val", "test"].map((name) => join(folder, `superglue/RTE/${name}.jsonl`));
    await cp(test!, val!);
    expect(await read(superglue, "rte", "test", folder)).toHaveLength(2);
    const reading = read(superglue, "rte", "dev", folder);
    await expect(reading).rejects.toThrow(`${val}: expected labels, found example 0 without`);
    await expect(reading).rejects.toBeInstanceOf(MissingDataError);
  });

  it("takes the corpus's own files for CoLA", async () => {
    const raw = join(folder, "glue/CoLA/raw");
    await cp(join(folder, "glue/CoLA"), `${folder}/copy`, { recursive: true });
    await rm(join(folder, "glue/CoLA/dev.tsv"));
    await cp(`${folder}/copy/train.tsv`, join(raw, "in_domain_dev.tsv"));
    await cp(`${folder}/copy/dev.tsv`, join(raw, "out_of_domain_dev.tsv"));
    const items = await read(glue, "cola", "dev", folder);
    expect(items).toHaveLength(12);
    expect(new Set(items.map(({ id }) => id)).size).toBe(12);
  });
});
