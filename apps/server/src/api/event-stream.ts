import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { toApiError } from "./error-handling.ts";

/**
 * Sends chunks as server-sent events, ended by `[DONE]`. The status is sent before the first chunk,
 * so a later failure becomes an event with OpenAI's error body.
 */
export function sendEventStream(reply: FastifyReply, chunks: AsyncGenerator<object>): FastifyReply {
  return reply
    .header("content-type", "text/event-stream; charset=utf-8")
    .header("cache-control", "no-cache")
    .header("x-accel-buffering", "no")
    .send(Readable.from(events(reply, chunks)));
}

async function* events(
  reply: FastifyReply,
  chunks: AsyncGenerator<object>,
): AsyncGenerator<string> {
  try {
    for await (const chunk of chunks) yield event(chunk);
  } catch (error) {
    if (reply.raw.destroyed) return;
    const apiError = toApiError(error);
    if (apiError.status >= 500) reply.log.error({ err: error }, "generation failed");
    yield event(apiError.toBody());
    return;
  }
  yield "data: [DONE]\n\n";
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** Aborts when the client goes away before its reply is complete. */
export function clientSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
