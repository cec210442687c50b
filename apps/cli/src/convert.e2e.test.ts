import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { levin } from "./testing/run-levin.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-convert-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("levin convert writes spark with its tokenizer and template as one file", async () => {
  const output = join(folder, "spark.gguf");
  const made = await levin("convert", "--to", "gguf", "--output", output, "--json");
  expect(made.code).toBe(0);
  const file = await readFile(output);
  expect(JSON.parse(made.stdout)).toEqual({ output, type: "bf16", bytes: file.byteLength });
  const head = file.toString("latin1", 0, 20_000);
  expect(head).toMatch(/^GGUF/);
  for (const part of ["minimax-01", "smollm", "<end_of_sentence>", "add_generation_prompt"]) {
    expect(head).toContain(part);
  }
});
