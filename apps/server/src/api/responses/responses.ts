import type { ChatMessage } from "@levin/tokenizer";
import type { FastifyInstance } from "fastify";
import type { GenerationService } from "../../scheduling/generation-service.ts";
import { generationSettings } from "../../generation-settings.ts";
import { ownerId } from "../../security/caller.ts";
import { answerSteps, checkRoom } from "../answers.ts";
import { chatPromptIds } from "../chat-prompt.ts";
import { parseBody } from "../completion-requests.ts";
import { clientSignal, sendEventStream } from "../event-stream.ts";
import { checkModel } from "../models.ts";
import { formatConstraint } from "../response-format.ts";
import { toolConstraint, toolDefinitions, usesTools, type ToolUse } from "../tools.ts";
import {
  newResponse,
  responseEvents,
  type ResponseEvent,
  type ResponseObject,
} from "./response-events.ts";
import { inputMessages, outputMessages } from "./response-messages.ts";
import { responseSchema, type ResponseRequest } from "./response-request.ts";
import { ResponseStore } from "./response-store.ts";

/** `POST /v1/responses`, streaming and not, and what was kept of earlier ones. */
export function responses(
  app: FastifyInstance,
  service: GenerationService,
  stallTimeout: number,
): void {
  const { served } = service;
  const store = new ResponseStore();
  const api = { summary: "Responds to an input", body: responseSchema, streams: true };
  app.post("/v1/responses", { config: { api } }, async (request, reply) => {
    const body = parseBody(responseSchema, request.body);
    checkModel(body.model, served.modelId);
    const { previous_response_id: previous } = body;
    const owner = ownerId();
    const before =
      previous == null ? [] : store.find(owner, previous, "previous_response_id").messages;
    const messages = [...before, ...inputMessages(body.input)];
    const use = toolUseOf(body);
    const prompt = [...instructionsOf(body), ...messages];
    const ids = chatPromptIds(prompt, toolDefinitions(use), served, { param: "input" });
    const constraint = toolConstraint(use, formatConstraintOf(body));
    const settings = {
      ...generationSettings(asChat(body), served, ids.length, "input"),
      constraint,
    };
    const questions = [{ ids, settings }];
    checkRoom(service, questions, request);
    const steps = answerSteps(service, questions, clientSignal(reply), request, {
      tools: usesTools(use),
    });
    const keep = (response: ResponseObject): void => {
      if (body.store === false) return;
      store.keep({ owner, response, messages: [...messages, ...outputMessages(response.output)] });
    };
    const events = keptAtTheEnd(responseEvents(newResponse(body), steps), keep);
    return body.stream
      ? sendEventStream(reply, events, stallTimeout, { named: true })
      : lastResponse(events);
  });

  const found = { config: { api: { summary: "An earlier response" } } };
  app.get<{ Params: { id: string } }>("/v1/responses/:id", found, ({ params }) => {
    return store.find(ownerId(), params.id).response;
  });
  const forgotten = { config: { api: { summary: "Forgets an earlier response" } } };
  app.delete<{ Params: { id: string } }>("/v1/responses/:id", forgotten, ({ params: { id } }) => {
    store.find(ownerId(), id);
    store.delete(id);
    return { id, object: "response", deleted: true };
  });
}

/** They hold for one response only: the next one brings its own. */
function instructionsOf({ instructions }: ResponseRequest): ChatMessage[] {
  return instructions ? [{ role: "system", content: instructions }] : [];
}

function toolUseOf(body: ResponseRequest): ToolUse {
  const choice = body.tool_choice ?? "auto";
  return {
    functions: body.tools ?? [],
    choice: typeof choice === "string" ? choice : { name: choice.name },
    parallel: body.parallel_tool_calls ?? true,
  };
}

function formatConstraintOf({ text }: ResponseRequest) {
  const format = text?.format;
  return formatConstraint(
    format?.type === "json_schema" ? { type: format.type, json_schema: format } : format,
    "text.format",
  );
}

/** The same in the words of chat completions. */
function asChat(body: ResponseRequest): Parameters<typeof generationSettings>[0] {
  const { max_output_tokens, reasoning, reasoning_effort, ...shared } = body;
  return {
    ...shared,
    messages: [],
    tools: undefined,
    tool_choice: undefined,
    stream_options: undefined,
    top_logprobs: undefined,
    max_completion_tokens: max_output_tokens,
    reasoning_effort: reasoning?.effort ?? reasoning_effort,
  };
}

/** Hands the whole response over before its last event is sent, so that a next one finds it. */
async function* keptAtTheEnd(
  events: AsyncGenerator<ResponseEvent>,
  keep: (response: ResponseObject) => void,
): AsyncGenerator<ResponseEvent> {
  for await (const event of events) {
    if (event.response && event.response.status !== "in_progress") keep(event.response);
    yield event;
  }
}

async function lastResponse(events: AsyncGenerator<ResponseEvent>): Promise<ResponseObject> {
  let last: ResponseObject | undefined;
  for await (const { response } of events) last = response ?? last;
  return last!;
}
