import { appendFile, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { expectWritable } from "./write-whole.ts";

/** Lines of JSON that a training leaves behind, each with the step that it belongs to. */
export type LogName = "metrics" | "samples";

/** Adds a line. */
export type RunLog = (name: LogName, line: { step: number } & object) => Promise<void>;

/**
 * Writes `metrics.jsonl` and `samples.jsonl` of a run. What an earlier process wrote after `step`,
 * which is done again now, is taken out first; so no line is doubled or lost by a kill.
 */
export async function openRunLog(directory: string, step: number): Promise<RunLog> {
  const path = (name: LogName): string => join(directory, `${name}.jsonl`);
  for (const name of ["metrics", "samples"] as const) await cutAfter(path(name), step);
  return (name, line) =>
    expectWritable(path(name), () => appendFile(path(name), `${JSON.stringify(line)}\n`));
}

/** The whole lines of a log; none when there is no log. */
export async function readRunLog<Line>(directory: string, name: LogName): Promise<Line[]> {
  const text = await readFile(join(directory, `${name}.jsonl`), "utf8").catch(() => "");
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

async function cutAfter(path: string, step: number): Promise<void> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return;
  let kept = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, kept)) {
    if (!(stepOf(bytes.toString("utf8", kept, end)) <= step)) break;
    kept = end + 1;
  }
  if (kept < bytes.length) await expectWritable(path, () => truncate(path, kept));
}

const newline = 10;

/** The step of a line; NaN when it is no line of a log. */
function stepOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { step?: unknown } | null)?.step);
  } catch {
    return NaN;
  }
}
