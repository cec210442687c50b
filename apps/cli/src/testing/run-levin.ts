import { execFile } from "node:child_process";
import { join } from "node:path";

const main = join(import.meta.dirname, "../main.ts");
export const repository = join(import.meta.dirname, "../../../..");

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** What Node is to be given for a command line from source. */
export function levinArguments(...args: string[]): string[] {
  return ["--conditions=@levin/source", main, ...args];
}

/** Runs the command line from source, in a process of its own. */
export function levin(...args: string[]): Promise<Outcome> {
  return startLevin(...args).ended;
}

/** The same, with a text as standard input. */
export function levinWithInput(input: string, ...args: string[]): Promise<Outcome> {
  return startLevinWithInput(input, ...args).ended;
}

/** A command line that runs. */
export interface RunningLevin {
  pid: number;
  ended: Promise<Outcome>;
  /** What it has said so far on both outputs. */
  said: () => string;
  /** Ends it as a power cut would. */
  kill: () => Promise<void>;
}

export function startLevin(...args: string[]): RunningLevin {
  return startLevinWithInput("", ...args);
}

function startLevinWithInput(input: string, ...args: string[]): RunningLevin {
  let said = "";
  const { promise: ended, resolve } = Promise.withResolvers<Outcome>();
  const child = execFile(
    process.execPath,
    levinArguments(...args),
    { cwd: repository },
    (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    },
  );
  for (const output of [child.stdout, child.stderr]) {
    output!.on("data", (text) => (said += String(text)));
  }
  child.stdin!.end(input);
  return {
    pid: child.pid!,
    ended,
    said: () => said,
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
