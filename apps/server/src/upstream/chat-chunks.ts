import { z } from "zod";
import type { ChatTokenLogprob, PromptProgress } from "../api/reply-schemas.ts";

const text = z.string().nullish();

const toolCall = z.object({
  index: z.int().min(0).optional(),
  id: text,
  function: z.object({ name: text, arguments: text }).nullish(),
});

/** A message, or a piece of one. */
const piece = z.object({
  content: text,
  reasoning_content: text,
  /** What some engines call it. */
  reasoning: text,
  tool_calls: z.array(toolCall).nullish(),
});

const choice = z.object({
  delta: piece.nullish(),
  message: piece.nullish(),
  finish_reason: text,
  stop_reason: z.union([z.string(), z.number()]).nullish(),
  logprobs: z.object({ content: z.array(z.custom<ChatTokenLogprob>()).nullish() }).nullish(),
});

const count = z.int().min(0).nullish();

const usage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count }).nullish(),
  completion_tokens_details: z.object({ reasoning_tokens: count }).nullish(),
});

/** A chat completion of an engine, whole or a chunk of it, as far as it is needed. */
export const chatChunk = z.object({
  choices: z.array(choice).default([]),
  usage: usage.nullish(),
  prompt_progress: z.custom<PromptProgress>().optional(),
  /** What a stream ends with that can't go on. */
  error: z.looseObject({ message: text, code: z.unknown().optional() }).nullish(),
});

export type ChatChunk = z.output<typeof chatChunk>;
export type ChatPiece = z.output<typeof piece>;
export type ChatUsage = z.output<typeof usage>;
