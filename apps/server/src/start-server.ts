import type { FastifyBaseLogger } from "fastify";
import { createServer } from "./create-server.ts";
import { loadServedModel, type LoadOptions } from "./load-served-model.ts";

/** No well-known service uses it. */
export const defaultPort = 8420;

/** Raised when the address cannot be listened on; says what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

export interface StartOptions extends LoadOptions {
  /** Default 127.0.0.1: this machine alone. */
  host?: string | undefined;
  /** Default 8420; 0 takes any free one. */
  port?: number | undefined;
  /** Answers computed together; default 8. */
  maxBatch?: number | undefined;
  logger?: FastifyBaseLogger | undefined;
}

export interface RunningServer {
  url: string;
  modelId: string;
  /** Takes no new requests, lets running answers finish for a while, then ends. */
  close(): Promise<void>;
}

/**
 * Loads a model, serves it until SIGINT or SIGTERM, and prints where. Programs that want neither
 * the line nor the signals use `loadServedModel` and `createServer`.
 *
 * @throws ListenError, and what `loadServedModel` throws
 */
export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const { host = "127.0.0.1", port = defaultPort, maxBatch, logger, ...load } = options;
  const served = await loadServedModel(load);
  const app = createServer({
    ...served,
    ...(maxBatch !== undefined && { maxBatch }),
    ...(logger && { logger }),
  });
  try {
    const url = await app.listen({ host, port });
    const server = { url, modelId: served.modelId, close: () => app.close().then(() => {}) };
    closeOnSignals(server);
    console.log(`levin: ${served.modelId} is ready at ${url} (API: ${url}/v1)`);
    return server;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ListenError(
      code === "EADDRINUSE"
        ? `port ${port} of ${host} is taken; choose another one with --port`
        : `cannot listen on ${host}:${port}: ${message}`,
      { cause: error },
    );
  }
}

/** A second signal ends the process at once. */
function closeOnSignals(server: RunningServer): void {
  let closing = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    // 128 + the signal's number, as shells report it.
    if (closing) process.exit(signal === "SIGINT" ? 130 : 143);
    closing = true;
    void server.close().then(() => process.exit(0));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}
