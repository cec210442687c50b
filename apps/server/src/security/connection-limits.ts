import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyHttpOptions } from "fastify";
import { ApiError } from "../api/api-error.ts";

export interface ConnectionLimits {
  /** Milliseconds in which the headers of a request must have come; default 15,000. */
  headersTimeout?: number | undefined;
  /** Milliseconds in which a request must have come, body included; default 120,000. */
  requestTimeout?: number | undefined;
  /** Connections at once; further ones are closed. Default 1024. */
  maxConnections?: number | undefined;
}

/** Fastify's options for clients that send too slowly, too much, or no HTTP at all. */
export function connectionOptions(limits: ConnectionLimits = {}) {
  const { headersTimeout = 15_000, requestTimeout = 120_000 } = limits;
  const shortest = Math.min(headersTimeout, requestTimeout);
  return {
    requestTimeout,
    http: {
      headersTimeout: shortest,
      connectionsCheckingInterval: Math.max(10, Math.min(5000, shortest / 4)),
    },
    clientErrorHandler: answerClientError,
  } satisfies FastifyHttpOptions<Server>;
}

const clientErrors: Record<string, [status: number, text: string, message: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "the request did not come in time"],
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "the headers are too large"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "Payload Too Large", "the chunk extensions are too large"],
};

/** Answers what is no request in OpenAI's form, and closes: nothing sensible can follow. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  // Behind a reply that has begun, an answer would look like a part of it.
  if (!socket.writable || socket.bytesWritten > 0) return void socket.destroy();
  const [status, text, message] = clientErrors[error.code ?? ""] ?? [
    400,
    "Bad Request",
    "expected an HTTP request",
  ];
  const body = JSON.stringify(new ApiError(status, message).toBody());
  const head = `HTTP/1.1 ${status} ${text}\r\nconnection: close\r\ncontent-type: application/json`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () =>
    socket.destroy(),
  );
}

/** Bytes read of a connection on which nothing waits to be read. */
const nothing = -1;

/**
 * Limits the number of connections, and cuts off clients that read nothing more of their replies.
 * @param stallTimeout milliseconds without a byte read
 */
export function limitConnections(
  app: FastifyInstance,
  { maxConnections = 1024 }: ConnectionLimits,
  stallTimeout: number,
): void {
  app.server.maxConnections = maxConnections;
  const sockets = new Map<Socket, number>();
  app.server.on("connection", (socket) => {
    sockets.set(socket, nothing);
    socket.once("close", () => sockets.delete(socket));
  });
  const sweep = setInterval(() => {
    for (const [socket, before] of sockets) {
      const pending = socket.writableLength;
      const read = socket.bytesWritten - pending;
      if (pending > 0 && read === before) socket.destroy();
      else sockets.set(socket, pending > 0 ? read : nothing);
    }
  }, stallTimeout);
  sweep.unref();
  app.addHook("onClose", (_, done) => {
    clearInterval(sweep);
    done();
  });
}
