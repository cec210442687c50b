import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** What a program prints; when it fails, an error with all of its output. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env = process.env }: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<string> {
  try {
    return (await execute(program, args, { cwd, env, maxBuffer: 2 ** 26 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error([`${program} ${args.join(" ")} failed in ${cwd}`, stdout, stderr].join("\n"), {
      cause: error,
    });
  }
}
