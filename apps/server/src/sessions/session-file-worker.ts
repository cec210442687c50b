import { parentPort, workerData } from "node:worker_threads";
import { ApiError } from "../api/api-error.ts";
import type { FileReply } from "./read-session-file.ts";
import { parseFile } from "./session-file.ts";

/* A thread that reads one session's file. */

const reply = (message: FileReply, parts: ArrayBuffer[] = []): void =>
  parentPort!.postMessage(message, parts);

try {
  const file = parseFile(workerData as Uint8Array);
  reply({ file }, file.state ? [file.state.bytes.buffer as ArrayBuffer] : []);
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  const { status, message, param, code } = error;
  reply({ refused: { status, message, param, code } });
}
