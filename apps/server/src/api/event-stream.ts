import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { ApiError } from "./api-error.ts";
import { isDeparture, toApiError } from "./error-handling.ts";

/**
 * Sends chunks as server-sent events, ended by `[DONE]`. The status is sent before the first chunk,
 * so a later failure becomes an event with OpenAI's error body.
 *
 * @param stallTimeout milliseconds after which a client that reads nothing more is cut off: its
 *   answer waits for it, and keeps a place that others wait for
 * @param options.named whether each event carries its `type` as its name and none says `[DONE]`, as
 *   in streams of responses
 */
export function sendEventStream(
  reply: FastifyReply,
  chunks: AsyncGenerator<object>,
  stallTimeout: number,
  { named = false } = {},
): FastifyReply {
  return reply
    .header("content-type", "text/event-stream; charset=utf-8")
    .header("cache-control", "no-cache")
    .header("x-accel-buffering", "no")
    .send(Readable.from(events(reply, chunks, stallTimeout, named)));
}

async function* events(
  reply: FastifyReply,
  chunks: AsyncGenerator<object>,
  stallTimeout: number,
  named: boolean,
): AsyncGenerator<string> {
  try {
    for await (const chunk of untilStalled(reply, chunks, stallTimeout)) yield event(chunk, named);
  } catch (error) {
    if (isDeparture(error, reply)) return;
    const apiError = toApiError(error);
    if (apiError.status >= 500) reply.log.error({ err: error }, "generation failed");
    yield errorEvent(apiError, { named });
    return;
  }
  if (!named) yield "data: [DONE]\n\n";
}

/** Passes items on, and cuts the client off when it reads nothing more for so many milliseconds. */
export async function* untilStalled<Item>(
  reply: FastifyReply,
  items: AsyncIterable<Item>,
  stallTimeout: number,
): AsyncGenerator<Item> {
  let stall: NodeJS.Timeout | undefined;
  try {
    for await (const item of items) {
      stall = setTimeout(() => reply.raw.destroy(), stallTimeout);
      yield item;
      clearTimeout(stall);
    }
  } finally {
    clearTimeout(stall);
  }
}

/** What a stream says that can't go on. */
export function errorEvent(error: ApiError, { named = false } = {}): string {
  const body = error.toBody();
  return event(named ? { ...body.error, type: "error" } : body, named);
}

function event(data: object, named: boolean): string {
  const name = named && "type" in data ? `event: ${String(data.type)}\n` : "";
  return `${name}data: ${JSON.stringify(data)}\n\n`;
}

/** Aborts when the client goes away before its reply is complete. */
export function clientSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  // It may have gone while its body was read; then there is no event to wait for.
  if (reply.raw.destroyed) controller.abort();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
