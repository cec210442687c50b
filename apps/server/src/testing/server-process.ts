import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

const main = join(import.meta.dirname, "../main.ts");

/** `levin-server` from source, in a process of its own. */
export interface ServerProcess {
  /** Where it listens; empty for a worker. */
  url: string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Tells it to end, and waits; gives its exit code. */
  end(): Promise<number | null>;
}

/** Starts it and waits for the line that says it is ready; it ends with the test. */
export function startServerProcess(...args: string[]): Promise<ServerProcess> {
  return startProcess(main, args);
}

/** The same for another program that says where it is ready. */
export async function startProcess(
  program: string,
  args: readonly string[],
): Promise<ServerProcess> {
  const child = spawn(process.execPath, ["--conditions=@levin/source", program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text) => (said += String(text)));
  const closed = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await closed;
  };
  const end = async (): Promise<number | null> => {
    child.kill("SIGTERM");
    await closed;
    return child.exitCode;
  };
  onTestFinished(kill);
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes("ready")) continue;
    return { url: / at (\S+)/.exec(line)?.[1] ?? "", kill, end };
  }
  throw new Error(`expected a line that says ready, found none: ${said}`);
}
