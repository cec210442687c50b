import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

const main = join(import.meta.dirname, "../../../server/src/main.ts");

/** A server in a process of its own. */
export interface ServerProcess {
  url: string;
  /** Resident memory in bytes; NaN where the system does not tell. */
  resident: () => Promise<number>;
  /** What it said last, when it has ended by itself. */
  lastWords: () => string | undefined;
  stop: () => Promise<void>;
}

/**
 * Starts Levin's server from source on a free port, and waits until its model is loaded.
 *
 * @param flags those of `levin-server`
 * @throws Error with what it said when it ends before
 */
export function startServer(flags: readonly string[]): Promise<ServerProcess> {
  const args = ["--conditions=@levin/source", main, "--port", "0", ...flags];
  return startProcess(process.execPath, args, / is ready at (\S+)/);
}

/**
 * Starts a program and waits until a line that it says has a URL.
 *
 * @param ready matches that line, with the URL in a group
 * @throws Error with what it said when it ends before, or that there is no such program
 */
export async function startProcess(
  program: string,
  args: readonly string[],
  ready: RegExp,
): Promise<ServerProcess> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  let said = "";
  const url = await new Promise<string | undefined>((found, failed) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        said = `${said}${line}\n`.slice(-10_000);
        const match = ready.exec(line)?.[1];
        if (match !== undefined) found(match);
      });
    }
    ended.then(
      () => found(undefined),
      (error: NodeJS.ErrnoException) =>
        failed(error.code === "ENOENT" ? new Error(`${program} is not on this machine`) : error),
    );
  });
  if (url === undefined) {
    throw new Error(`${program} ended before it was ready: ${wordsOf(said)}`);
  }
  return {
    url,
    resident: () => residentBytesOf(child.pid!),
    lastWords: () => (isRunning(child) ? undefined : wordsOf(said)),
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

async function residentBytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN);
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** The line that tells why a program ended, else the last one. */
function wordsOf(said: string): string {
  const lines = said.trim().split("\n");
  return lines.find((line) => /assert|error/i.test(line)) ?? lines.at(-1)!;
}
