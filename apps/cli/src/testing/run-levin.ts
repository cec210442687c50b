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
  return levinWithInput("", ...args);
}

/** The same, with a text as standard input. */
export function levinWithInput(input: string, ...args: string[]): Promise<Outcome> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      levinArguments(...args),
      { cwd: repository },
      (error, stdout, stderr) => {
        done({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      },
    );
    child.stdin!.end(input);
  });
}
