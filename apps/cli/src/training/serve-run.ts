import { open } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkHosts, ListenError, pageFiles, securityHeaders } from "@levin/server";
import Fastify from "fastify";
import type { LogName } from "./run-log.ts";

/** Bytes of a log that one request gets at most. */
const mostBytes = 4 * 2 ** 20;

/** Where the build puts the page; the same from `src` and from `dist`. */
const builtPage = fileURLToPath(new URL("../../dist/page/", import.meta.url));

export interface RunServer {
  url: string;
  close(): Promise<void>;
}

/**
 * Serves a page with the curves and samples of a training, to this machine alone.
 *
 * @param port 0 takes any free one
 * @throws ListenError
 */
export async function serveRun(directory: string, port: number): Promise<RunServer> {
  const app = Fastify();
  checkHosts(app);
  securityHeaders(app);
  for (const name of ["metrics", "samples"] as const) {
    app.get(`/${name}`, async (request) => {
      const { from } = request.query as { from?: string };
      return linesFrom(directory, name, Number(from ?? 0));
    });
  }
  pageFiles(app, builtPage);
  try {
    const url = await app.listen({ host: "127.0.0.1", port });
    return { url, close: () => app.close().then(() => {}) };
  } catch (error) {
    throw new ListenError(`127.0.0.1:${port}: ${(error as Error).message}`, { cause: error });
  }
}

/** The whole lines of a log behind a byte, and the byte behind them. 0 again when the log was cut. */
async function linesFrom(
  directory: string,
  name: LogName,
  from: number,
): Promise<{ lines: string[]; from: number; next: number }> {
  const file = await open(join(directory, `${name}.jsonl`)).catch(() => undefined);
  if (file === undefined) return { lines: [], from: 0, next: 0 };
  try {
    const { size } = await file.stat();
    const start = Number.isSafeInteger(from) && from >= 0 && from <= size ? from : 0;
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(Math.min(size - start, mostBytes)),
      position: start,
    });
    const end = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
    const lines = buffer.toString("utf8", 0, end).split("\n").slice(0, -1);
    return { lines, from: start, next: start + end };
  } finally {
    await file.close();
  }
}
