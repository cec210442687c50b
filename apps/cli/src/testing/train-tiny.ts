import { spawn, type ChildProcess } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Recipe } from "../training/recipe.ts";
import { levinArguments, repository } from "./run-levin.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

export interface EndedTraining {
  code: number | null;
  signal: string | null;
  lines: string[];
  stderr: string;
}

export interface TinyTraining {
  /** Folder of the recipe and the output. */
  folder: string;
  /** Name of the output in it. */
  output: string;
  changes?: Partial<Recipe>;
  /** May do something to the process after each of its lines. */
  disturb?: (child: ChildProcess, lines: number) => void;
  /** What bash does before. */
  shell?: string;
  flags?: string[];
}

/** Trains by the tiny recipe, in a process of its own on wasm. */
export async function trainTiny({
  folder,
  output,
  changes = {},
  disturb = () => {},
  shell = "exec",
  flags = [],
}: TinyTraining): Promise<EndedTraining> {
  const recipe = join(folder, "recipe.json");
  await writeFile(recipe, JSON.stringify({ ...tinyRecipe, ...changes }));
  const args = levinArguments("train", recipe, "--output", join(folder, output), ...flags);
  const child = spawn("bash", ["-c", `${shell} "$0" "$@"`, process.execPath, ...args], {
    cwd: repository,
  });
  const ended: EndedTraining = { code: null, signal: null, lines: [], stderr: "" };
  child.stderr.on("data", (chunk: Buffer) => (ended.stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split("\n")) {
      disturb(child, ended.lines.push(line));
    }
  });
  [ended.code, ended.signal] = await new Promise<[number | null, string | null]>((done) =>
    child.on("close", (...how) => done(how)),
  );
  return ended;
}

/** The lines of a log, without times. */
export async function logOf(
  folder: string,
  output: string,
  name = "metrics",
): Promise<({ step: number } & Record<string, unknown>)[]> {
  const text = await readFile(join(folder, output, `${name}.jsonl`), "utf8");
  if (!text.endsWith("\n")) throw new Error(`expected whole lines in ${name}.jsonl`);
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const { seconds: _seconds, ...rest } = JSON.parse(line) as { step: number; seconds?: number };
      return rest;
    });
}
