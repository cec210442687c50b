import type { ChatMessage } from "@levin/tokenizer";
import type { FastifyInstance } from "fastify";
import { ownerId } from "../../security/caller.ts";
import { parseBody } from "../completion-requests.ts";
import { sendEventStream } from "../event-stream.ts";
import type { ResponseAnswers } from "./response-answers.ts";
import {
  newResponse,
  responseEvents,
  type ResponseEvent,
  type ResponseObject,
} from "./response-events.ts";
import { about, deletionOf } from "../openapi.ts";
import { itemPageReply, responseEventSchema, responseObjectSchema } from "./response-schemas.ts";
import { inputForms, itemPage, itemPageSchema, messagesOf } from "./response-items.ts";
import { responseSchema, type ResponseRequest } from "./response-request.ts";
import type { ResponseStore } from "./response-store.ts";

interface OfResponse {
  Params: { id: string };
}

/** `POST /v1/responses`, streaming and not, and what is kept of earlier ones. */
export function responses(
  app: FastifyInstance,
  answers: ResponseAnswers,
  store: ResponseStore,
  stallTimeout: number,
): void {
  const options = about("Responds to an input", {
    body: responseSchema,
    reply: responseObjectSchema,
    event: responseEventSchema,
  });
  app.post("/v1/responses", options, async (request, reply) => {
    const body = parseBody(responseSchema, request.body);
    answers.check(body);
    const owner = ownerId();
    const { previous_response_id: previous } = body;
    const before =
      previous == null ? undefined : await store.find(owner, previous, "previous_response_id");
    const earlier = before ? [...before.input, ...before.response.output] : [];
    const input = [...earlier, ...inputForms(body.input)];
    const messages = [...instructionsOf(body), ...messagesOf(input)];
    const steps = await answers.begin(body, messages, request, reply);
    const keep = async (response: ResponseObject): Promise<void> => {
      if (body.store !== false) await store.keep(owner, { input, response });
    };
    const events = keptAtTheEnd(responseEvents(newResponse(body), steps), keep);
    return body.stream
      ? sendEventStream(reply, events, stallTimeout, { named: true })
      : lastResponse(events);
  });

  const found = about("An earlier response", { reply: responseObjectSchema });
  app.get<OfResponse>("/v1/responses/:id", found, async ({ params }) => {
    return (await store.find(ownerId(), params.id)).response;
  });
  const items = about("What an earlier response answers", {
    query: itemPageSchema,
    reply: itemPageReply,
  });
  app.get<OfResponse>("/v1/responses/:id/input_items", items, async ({ params, query }) => {
    const page = parseBody(itemPageSchema, query);
    return itemPage((await store.find(ownerId(), params.id)).input, page);
  });
  const forgotten = about("Forgets an earlier response", { reply: deletionOf("response") });
  app.delete<OfResponse>("/v1/responses/:id", forgotten, async ({ params: { id } }) => {
    await store.delete(ownerId(), id);
    return { id, object: "response", deleted: true };
  });
}

/** They hold for one response only: the next one brings its own. */
function instructionsOf({ instructions }: ResponseRequest): ChatMessage[] {
  return instructions ? [{ role: "system", content: instructions }] : [];
}

/** Keeps the whole response before its last event is sent, so that a next one finds it. */
async function* keptAtTheEnd(
  events: AsyncGenerator<ResponseEvent>,
  keep: (response: ResponseObject) => Promise<void>,
): AsyncGenerator<ResponseEvent> {
  for await (const event of events) {
    if (event.response && event.response.status !== "in_progress") await keep(event.response);
    yield event;
  }
}

async function lastResponse(events: AsyncGenerator<ResponseEvent>): Promise<ResponseObject> {
  let last: ResponseObject | undefined;
  for await (const { response } of events) last = response ?? last;
  return last!;
}
