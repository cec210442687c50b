import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ApiError } from "../api/api-error.ts";
import { parseFile, type ReadFile } from "./session-file.ts";

/** Bytes; reading more takes a thread of its own, which takes longer to start than less to read. */
const long = 2 ** 18;

/** What the thread replies. */
export type FileReply =
  | { file: ReadFile }
  | { refused: Pick<ApiError, "status" | "message" | "param" | "code"> };

/**
 * Reads a session's file; a large one in another thread, so that this one answers others meanwhile.
 * @param json goes to that thread, and is empty afterwards
 * @throws ApiError (400)
 */
export async function readSessionFile(json: Buffer): Promise<ReadFile> {
  if (json.length <= long) return parseFile(json);
  const isSource = import.meta.url.endsWith(".ts");
  const program = new URL(`./session-file-worker.${isSource ? "ts" : "js"}`, import.meta.url);
  const isWhole = json.byteLength === json.buffer.byteLength;
  const worker = new Worker(program, {
    workerData: json,
    ...(isWhole && { transferList: [json.buffer as ArrayBuffer] }),
    ...(isSource && { execArgv: ["--conditions=@levin/source"] }),
  });
  try {
    const [reply] = (await once(worker, "message")) as [FileReply];
    if ("file" in reply) return reply.file;
    const { status, message, ...about } = reply.refused;
    throw new ApiError(status, message, about);
  } finally {
    await worker.terminate();
  }
}
