import { randomUUID } from "node:crypto";
import type { FinishReason, GenerationResult } from "@levin/model";
import type { Usage } from "./reply-schemas.ts";
import { seconds } from "./seconds.ts";

/** How an answer ended, and what it cost. */
export type AnswerEnd = Pick<GenerationResult, "finishReason" | "stopString" | "usage">;

/** Fields that all chunks of a reply share. */
export function replyHead<Name extends string>(
  prefix: "chatcmpl" | "cmpl",
  object: Name,
  model: string,
) {
  const created = seconds(Date.now());
  return { id: `${prefix}-${randomUUID()}`, object, created, model };
}

/** @param groups results of each prompt: it was read once, however many answers it got */
export function usageOf(groups: readonly (readonly AnswerEnd[])[]): Usage {
  const usages = groups.map((results) => results.map(({ usage }) => usage));
  const prompt = sum(usages.map((group) => Math.max(0, ...group.map((one) => one.promptTokens))));
  const cached = sum(usages.map((group) => Math.min(...group.map((one) => one.cachedTokens))));
  const completion = sum(usages.flat().map((one) => one.completionTokens));
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: {
      reasoning_tokens: sum(usages.flat().map((one) => one.reasoningTokens)),
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** An answer is only aborted, and still sent, when its time is up. */
const endings: Partial<Record<FinishReason, string>> = {
  repetition: "repetition",
  abort: "timeout",
};

/** Why an answer ended; `stop_reason` tells what OpenAI has no word for. */
export function ending(result: AnswerEnd): {
  finish_reason: "stop" | "length";
  stop_reason: string | null;
} {
  const { finishReason, stopString } = result;
  return {
    finish_reason: finishReason === "stop" ? "stop" : "length",
    stop_reason: stopString ?? endings[finishReason] ?? null,
  };
}
