import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import grades from "./__fixtures__/mrcr.grades.json" with { type: "json" };
import { DataError } from "../data/data-error.ts";
import { mrcrFileSuite, type MrcrRecord } from "./mrcr-file.ts";
import { mrcrScore } from "./mrcr-suite.ts";
import { readMrcr } from "./read-mrcr.ts";

const fixture = (kind: string): string =>
  fileURLToPath(new URL(`./__fixtures__/mrcr.${kind}`, import.meta.url));

async function recordsOf(...kinds: string[]): Promise<MrcrRecord[]> {
  const records: MrcrRecord[] = [];
  for await (const record of readMrcr(kinds.map(fixture))) records.push(record);
  return records;
}

/** A token for four letters. */
const options = {
  encode: (turns: readonly { content: string }[]) =>
    Array.from(
      { length: Math.ceil(turns.map(({ content }) => content).join("").length / 4) },
      () => 1,
    ),
  ...{ lengths: [4096, 1024, 512], count: 2, thinkingTokens: 0 },
};

describe("OpenAI's MRCR", () => {
  it("is the same from Parquet, in groups of rows, and from JSON lines", async () => {
    const records = await recordsOf("parquet");
    expect(records).toHaveLength(3);
    expect(await recordsOf("jsonl", "parquet")).toEqual([...records, ...records]);
    expect(records[0]!.random_string_to_prepend).toBe("aB3dE6gH9j");
  });

  it("gets the official grades", async () => {
    const records = await recordsOf("parquet");
    for (const { row, reply, grade } of grades) {
      const { answer, random_string_to_prepend: prefix } = records[row]!;
      expect(mrcrScore(reply, answer, prefix)).toBe(grade);
    }
  });

  it("is sorted into lengths, with what the other answers would score as chance", async () => {
    const suite = await mrcrFileSuite(readMrcr([fixture("parquet")]), options);
    expect(suite.items.map(({ id, length }) => [id, length])).toEqual([
      ["openai-mrcr-0", 512],
      ["openai-mrcr-1", 1024],
      ["openai-mrcr-2", 4096],
    ]);
    const { turns, answer, score, chance } = suite.promptOf(suite.items[0]!);
    expect(turns.at(-1)!.content).toBe(
      "Prepend aB3dE6gH9j to the 2nd (1 indexed) poem about tapirs.",
    );
    expect(score(answer)).toBe(1);
    // The first and the fourth answer are to the same request, and differ in their numbers alone.
    const other = score(`aB3dE6gH9j${turns[1]!.content}`);
    expect(other).toBeGreaterThan(0.9);
    expect(other).toBeLessThan(1);
    expect(chance).toBeCloseTo((1 + other) / 2, 12);
    expect(suite.answerTokens).toBeGreaterThanOrEqual(Math.floor(answer.length / 4));
  });

  it("leaves out what is too long, and more than was asked for", async () => {
    const twice = readMrcr([fixture("parquet"), fixture("parquet")]);
    const suite = await mrcrFileSuite(twice, { ...options, lengths: [512, 1024], count: 1 });
    expect(suite.items.map(({ id }) => id)).toEqual(["openai-mrcr-0", "openai-mrcr-1"]);
  });
});

describe("files that are none", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "levin-mrcr-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("are named with the line", async () => {
    const path = join(folder, "own.jsonl");
    const [first] = (await readFile(fixture("jsonl"), "utf8")).split("\n");
    await writeFile(path, `${first}\n{"prompt": "[]", "answer": "x"}\n`);
    const read = async () => {
      for await (const record of readMrcr([path])) expect(record.prompt).toBeTruthy();
    };
    await expect(read()).rejects.toThrow(DataError);
    await expect(read()).rejects.toThrow(/own.jsonl:2: expected random_string_to_prepend: /);
  });

  it.each(["[not JSON", '[{"role":"bot","content":"x"}]'])("nor is a chat: %s", async (prompt) => {
    async function* records() {
      yield { prompt, answer: "abc", random_string_to_prepend: "a" };
    }
    const read = mrcrFileSuite(records(), options);
    await expect(read).rejects.toThrow(DataError);
    await expect(read).rejects.toThrow("openai-mrcr:1: expected a prompt that is a chat as JSON");
  });

  it("nor Parquet", async () => {
    const path = join(folder, "own.parquet");
    await writeFile(path, "PAR1, but no more");
    await expect(readMrcr([path]).next()).rejects.toThrow(/own.parquet:1: expected a Parquet file/);
  });
});
