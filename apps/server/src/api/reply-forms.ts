import { randomUUID } from "node:crypto";
import type { GenerationResult } from "@levin/model";
import type { AnswerPart } from "./answer-parts.ts";
import type { ChatTokenLogprob } from "./token-logprobs.ts";

/** Tokens that a request cost, in OpenAI's form. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Of the prompt, those that an earlier request had read already. */
  prompt_tokens_details: { cached_tokens: number };
  completion_tokens_details: { reasoning_tokens: number };
}

export interface ReplyHead {
  id: string;
  object: string;
  created: number;
  model: string;
}

/** Fields that all chunks of a reply share. */
export function replyHead(prefix: "chatcmpl" | "cmpl", object: string, model: string): ReplyHead {
  const created = Math.floor(Date.now() / 1000);
  return { id: `${prefix}-${randomUUID()}`, object, created, model };
}

export function usageOf({ usage }: GenerationResult): Usage {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = usage;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

/** Why an answer ended; `stop_reason` tells what OpenAI has no word for. */
export function ending(result: GenerationResult): {
  finish_reason: "stop" | "length";
  stop_reason: string | null;
} {
  const { finishReason, stopString } = result;
  return {
    finish_reason: finishReason === "stop" ? "stop" : "length",
    stop_reason: stopString ?? (finishReason === "repetition" ? "repetition" : null),
  };
}

/** All parts of an answer put together. */
export async function collectAnswer(parts: AsyncGenerator<AnswerPart, GenerationResult>): Promise<{
  reasoning: string;
  content: string;
  logprobs: ChatTokenLogprob[];
  result: GenerationResult;
}> {
  let reasoning = "";
  let content = "";
  const logprobs: ChatTokenLogprob[] = [];
  for (;;) {
    const next = await parts.next();
    if (next.done) return { reasoning, content, logprobs, result: next.value };
    reasoning += next.value.reasoning ?? "";
    content += next.value.content ?? "";
    logprobs.push(...(next.value.logprobs ?? []));
  }
}
