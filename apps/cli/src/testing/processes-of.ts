import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Ids of the processes that a process started. */
export async function processesOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,comm="]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, name]) => Number(parent) === pid && name !== "ps")
    .map(([child]) => Number(child));
}
