import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const main = join(import.meta.dirname, "../../../server/src/main.ts");

/** A Levin server in a process of its own. */
export interface ServerProcess {
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts it from source on a free port, and waits until its model is loaded.
 *
 * @param flags those of `levin-server`
 * @throws Error with what it said when it ends before
 */
export async function startServer(flags: readonly string[]): Promise<ServerProcess> {
  const child = spawn(
    process.execPath,
    ["--conditions=@levin/source", main, "--port", "0", ...flags],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  child.stderr.on("data", (text) => (said = `${said}${String(text)}`.slice(-10_000)));
  const ended = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) {
    const url = / is ready at (\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    const stop = async (): Promise<void> => {
      child.kill();
      await ended;
    };
    return { url, stop };
  }
  throw new Error(`levin-server ended before it was ready: ${said}`);
}
