import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
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

/** Runs a worker that shows what it does; throws when it fails. */
export async function spawnWorker(file: string, args: readonly string[]): Promise<void> {
  const child = spawn(
    process.execPath,
    ["--conditions=@levin/source", join(import.meta.dirname, file), ...args],
    { stdio: ["ignore", 2, 2] },
  );
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${file} ${args.join(" ")}: ended with ${code}`);
}

/** The JSON on the last line of an output. */
export function lastLine(output: string): unknown {
  return JSON.parse(output.trim().split("\n").at(-1)!);
}
