import type { GenerationResult } from "@levin/model";
import { encodeChat, type ChatMessage } from "@levin/tokenizer";
import type { FastifyInstance } from "fastify";
import type { GenerationService } from "../generation-service.ts";
import { generationSettings } from "../generation-settings.ts";
import { answerParts, type AnswerPart } from "./answer-parts.ts";
import { parseChatRequest, type ChatRequest } from "./completion-requests.ts";
import { clientSignal, sendEventStream } from "./event-stream.ts";
import { checkModel } from "./models.ts";
import { checkTextLength } from "./prompt-length.ts";
import { collectAnswer, ending, replyHead, usageOf } from "./reply-forms.ts";
import { streamSteps } from "./stream-steps.ts";

type Parts = AsyncGenerator<AnswerPart, GenerationResult>;

/** `POST /v1/chat/completions`, streaming and not. */
export function chatCompletions(
  app: FastifyInstance,
  service: GenerationService,
  stallTimeout: number,
): void {
  const { served } = service;
  app.post("/v1/chat/completions", async (request, reply) => {
    const body = parseChatRequest(request.body);
    checkModel(body.model, served.modelId);
    const ids = promptIds(body, service);
    const settings = generationSettings(body, served, ids.length);
    service.checkRoom();
    const events = service.generate(ids, settings, clientSignal(reply));
    const parts = answerParts(events, served.tokenizer);
    return body.stream
      ? sendEventStream(reply, chunks(body, parts), stallTimeout)
      : completion(body, parts);
  });
}

function promptIds(body: ChatRequest, { served }: GenerationService): number[] {
  const messages = body.messages.map(({ role, content, ...message }): ChatMessage => ({
    role: role === "developer" ? "system" : role,
    content,
    ...("name" in message && message.name !== undefined && { name: message.name }),
  }));
  checkTextLength(
    messages.map((message) => message.content as string),
    "messages",
    served,
  );
  return encodeChat(served.tokenizer, messages, { template: served.chatTemplate });
}

async function completion(body: ChatRequest, parts: Parts): Promise<object> {
  const head = replyHead("chatcmpl", "chat.completion", body.model);
  const { reasoning, content, logprobs, result } = await collectAnswer(parts);
  const message = {
    role: "assistant",
    content,
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    refusal: null,
  };
  const logprobList = body.logprobs ? { content: logprobs, refusal: null } : null;
  return {
    ...head,
    choices: [{ index: 0, message, logprobs: logprobList, ...ending(result) }],
    usage: usageOf(result),
  };
}

async function* chunks(body: ChatRequest, parts: Parts): AsyncGenerator<object> {
  const head = replyHead("chatcmpl", "chat.completion.chunk", body.model);
  const withUsage = body.stream_options?.include_usage === true;
  const chunk = (choice: object): object => ({
    ...head,
    choices: [{ index: 0, logprobs: null, finish_reason: null, ...choice }],
    ...(withUsage && { usage: null }),
  });
  yield chunk({ delta: { role: "assistant", content: "" } });
  for await (const step of streamSteps(parts)) {
    if (step.result !== undefined) {
      yield chunk({ delta: {}, ...ending(step.result) });
      if (withUsage) yield { ...head, choices: [], usage: usageOf(step.result) };
      return;
    }
    const { reasoning, content, logprobs } = step.item;
    const delta = reasoning === undefined ? { content } : { reasoning_content: reasoning };
    yield chunk({ delta, ...(logprobs && { logprobs: { content: logprobs, refusal: null } }) });
  }
}
