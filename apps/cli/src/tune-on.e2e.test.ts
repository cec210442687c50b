import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levin } from "./testing/run-levin.ts";

let folder: string;
let pool: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-tune-"));
  pool = join(folder, "pool.jsonl");
  const conversation = (question: string, answer: string): string =>
    JSON.stringify({
      messages: [
        { role: "user", content: question },
        { role: "assistant", content: answer },
      ],
    });
  const lines = [
    conversation("What is the colour of a plum?", "purple"),
    conversation("What is the colour of the sky?", "blue"),
    conversation("Sort these numbers: 5 3", "3 5"),
  ];
  await writeFile(pool, lines.join("\n"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("levin generate --tune-on", () => {
  const ask = (...flags: string[]): ReturnType<typeof levin> =>
    levin("generate", "What is the colour of a plum?", "--max-tokens", "40", ...flags);

  it("answers by conversations that the model never saw", async () => {
    const [plain, tuned] = await Promise.all([ask(), ask("--tune-on", pool, "--tune-count", "12")]);
    expect(tuned.code).toBe(0);
    expect(tuned.stderr).toMatch(
      /^tuned on \d+ of 3 conversations in 12 steps; uncertainty \d+ %$/m,
    );
    expect(tuned.stdout).toContain("purple");
    expect(plain.stdout).not.toContain("purple");
  });

  it("names what is wrong with the file, the number of examples, or the model", async () => {
    const [missing, count, staged] = await Promise.all([
      ask("--tune-on", join(folder, "missing.jsonl")),
      ask("--tune-on", pool, "--tune-count", "0"),
      ask("--tune-on", pool, "--stages", "2"),
    ]);
    expect([missing.code, count.code, staged.code]).toEqual([1, 1, 1]);
    expect(missing.stderr).toMatch(/ChatDatasetError: .*missing.jsonl: can't be read/);
    expect(count.stderr).toMatch(/SelectionError: .*expected a whole count ≥ 1/);
    expect(staged.stderr).toMatch(/TuningError: --tune-on: expected a model in one memory/);
  });
});
