import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs a worker of this folder from source, in a process of its own; what its last line says in JSON. */
export async function runWorker(
  file: string,
  args: readonly string[],
  threads: number | string = 1,
): Promise<unknown> {
  const { stdout } = await run(
    process.execPath,
    ["--conditions=@levin/source", join(import.meta.dirname, file), ...args],
    { env: { ...process.env, LEVIN_THREADS: String(threads) } },
  );
  return lastLine(stdout);
}

/** The JSON on the last line of an output. */
export function lastLine(output: string): unknown {
  return JSON.parse(output.trim().split("\n").at(-1)!);
}
