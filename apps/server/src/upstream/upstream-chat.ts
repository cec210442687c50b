import type { ChatMessage, ConversationMessage } from "@levin/tokenizer";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { AnswerPart } from "../api/answer-parts.ts";
import type { AnswerStep } from "../api/answers.ts";
import { ApiError } from "../api/api-error.ts";
import { isDeparture } from "../api/error-handling.ts";
import { clientSignal } from "../api/event-stream.ts";
import type { AnswerEnd } from "../api/reply-forms.ts";
import { streamSteps } from "../api/stream-steps.ts";
import { callers } from "../security/caller.ts";
import { engineAnswer } from "./engine-answer.ts";
import { UpstreamFailure } from "./upstream-failure.ts";
import type { UpstreamReply } from "./upstream-reply.ts";
import type { Upstreams } from "./upstreams.ts";

/** Body of a chat completion that this server asks an engine for. */
export interface EngineRequest {
  model: string;
  messages: readonly ConversationMessage[];
  stream?: boolean | null | undefined;
  [field: string]: unknown;
}

const path = "/v1/chat/completions";

/**
 * Asks an engine for a chat completion, and gives its answer in parts. One that its client leaves
 * ends with `finishReason: "abort"`.
 *
 * @throws ApiError with what the engine says against the request, or for what fails
 */
export async function askEngine(
  upstreams: Upstreams,
  { messages, ...asked }: EngineRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<AsyncGenerator<AnswerPart, AnswerEnd>> {
  const body = JSON.stringify({
    ...asked,
    messages: messages.map(sentMessage),
    ...(asked.stream && { stream_options: { include_usage: true } }),
  });
  const headers = { ...request.headers, "x-request-id": request.id };
  const signal = clientSignal(reply);
  const caller = callers.getStore();
  try {
    const answer = await upstreams.send({ path, body, headers }, asked.model, signal);
    if (answer.status !== 200) throw refusal(answer);
    return untilLeft(engineAnswer(answer, caller), upstreams, reply);
  } catch (error) {
    const said = error instanceof UpstreamFailure ? error.facts.reply : undefined;
    throw said ? refusal(said) : upstreams.asApiError(error);
  }
}

/** An answer as the steps that replies are made of. */
export async function* stepsOf(
  answer: AsyncGenerator<AnswerPart, AnswerEnd>,
): AsyncGenerator<AnswerStep, void> {
  for await (const step of streamSteps(answer)) {
    yield step.result === undefined
      ? { choice: 0, part: step.item }
      : { choice: 0, result: step.result };
  }
}

async function* untilLeft(
  answer: AsyncGenerator<AnswerPart, AnswerEnd>,
  upstreams: Upstreams,
  reply: FastifyReply,
): AsyncGenerator<AnswerPart, AnswerEnd> {
  try {
    return yield* answer;
  } catch (error) {
    if (!upstreams.isClosing && isDeparture(error, reply)) return leftEnd;
    throw upstreams.asApiError(error);
  }
}

const leftEnd: AnswerEnd = {
  finishReason: "abort",
  usage: { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 },
};

/** As OpenAI's API takes it: thoughts of earlier turns are no part of a conversation. */
function sentMessage(said: ConversationMessage): ChatMessage {
  // What is undefined is left out of JSON.
  const message = { ...said, reasoning_content: undefined };
  const calls = message.tool_calls;
  if (!calls?.length) return message;
  return { ...message, tool_calls: calls.map((call) => ({ ...call, type: "function" })) };
}

const errorBody = z.object({
  error: z.object({
    message: z.string(),
    param: z.string().nullish(),
    code: z.union([z.string(), z.number()]).nullish(),
  }),
});

/** What an engine says against a request. */
function refusal({ status, headers, body }: UpstreamReply): ApiError {
  const told = Buffer.isBuffer(body) ? errorBody.safeParse(jsonOf(body)).data?.error : undefined;
  const message = told?.message ?? `the upstream answered with status ${status}`;
  const retryAfter = Number(headers["retry-after"]);
  return new ApiError(status < 400 ? 502 : status, message, {
    param: told?.param ?? null,
    code: told?.code == null ? "upstream_failed" : `${told.code}`,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
  });
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
