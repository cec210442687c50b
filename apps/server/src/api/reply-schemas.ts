import { z } from "zod";

/* What replies are: the forms of OpenAI's API, with what this server adds to them. */

const count = z.int().min(0);

/** Tokens that a request cost. */
const usageSchema = z
  .object({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    /** Of the prompt, those that an earlier request had read already. */
    prompt_tokens_details: z.object({ cached_tokens: count }),
    completion_tokens_details: z.object({ reasoning_tokens: count }),
  })
  .meta({ id: "Usage" });

/** A token with its log-probability. */
const tokenLogprobSchema = z.object({
  token: z.string(),
  logprob: z.number(),
  /** UTF-8: a character may be spread over several tokens. */
  bytes: z.array(z.int().min(0).max(255)),
});

const chatTokenLogprobSchema = tokenLogprobSchema
  .extend({ top_logprobs: z.array(tokenLogprobSchema) })
  .meta({ id: "TokenLogprob" });

const replyHead = { id: z.string(), created: count, model: z.string() };
const finishReason = z.enum(["stop", "length", "tool_calls"]);
/** The stop text that came, or what OpenAI has no word for: `repetition` or `timeout`. */
const stopReason = z.string().nullable();

const chatLogprobs = z
  .object({ content: z.array(chatTokenLogprobSchema), refusal: z.null() })
  .nullable();

const functionCall = z.object({ name: z.string(), arguments: z.string() });

const answerMessage = z.object({
  role: z.literal("assistant"),
  content: z.string().nullable(),
  /** The thought. */
  reasoning_content: z.string().optional(),
  tool_calls: z
    .array(z.object({ id: z.string(), type: z.literal("function"), function: functionCall }))
    .optional(),
  refusal: z.null(),
});

/** A whole reply of `POST /v1/chat/completions`. */
export const chatCompletionSchema = z
  .object({
    ...replyHead,
    object: z.literal("chat.completion"),
    choices: z.array(
      z.object({
        index: count,
        message: answerMessage,
        logprobs: chatLogprobs,
        finish_reason: finishReason,
        stop_reason: stopReason,
      }),
    ),
    usage: usageSchema,
  })
  .meta({ id: "ChatCompletion" });

const promptProgressSchema = z
  .object({
    total: count,
    /** Of the total, those whose state was kept from an earlier request. */
    cache: count,
    /** Read so far, `cache` included. */
    processed: count,
    /** Milliseconds since the reading began. */
    time_ms: count,
  })
  .meta({ id: "PromptProgress" });

/** How much of a prompt has been read, in llama.cpp's form; tokens but for the time. */
export type PromptProgress = z.output<typeof promptProgressSchema>;

const delta = z.object({
  role: z.literal("assistant").optional(),
  content: z.string().optional(),
  reasoning_content: z.string().optional(),
  tool_calls: z
    .array(
      z.object({
        index: count,
        id: z.string().optional(),
        type: z.literal("function").optional(),
        function: functionCall.partial({ name: true }),
      }),
    )
    .optional(),
});

/** An event of a streamed chat completion. */
export const chatChunkSchema = z
  .object({
    ...replyHead,
    object: z.literal("chat.completion.chunk"),
    choices: z.array(
      z.object({
        index: count,
        delta,
        logprobs: chatLogprobs,
        finish_reason: finishReason.nullable(),
        stop_reason: stopReason.optional(),
      }),
    ),
    usage: usageSchema.nullish(),
    prompt_progress: promptProgressSchema.optional(),
  })
  .meta({ id: "ChatCompletionChunk" });

/** The older form of log-probabilities: a list of each field. */
const logprobListsSchema = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()),
  text_offset: z.array(count),
});

const textChoice = z.object({
  index: count,
  text: z.string(),
  reasoning_content: z.string().optional(),
  logprobs: logprobListsSchema.nullable(),
});

/** A whole reply of `POST /v1/completions`. */
export const textCompletionSchema = z
  .object({
    ...replyHead,
    object: z.literal("text_completion"),
    choices: z.array(textChoice.extend({ finish_reason: finishReason, stop_reason: stopReason })),
    usage: usageSchema,
  })
  .meta({ id: "Completion" });

/** An event of a streamed completion. */
export const textChunkSchema = z
  .object({
    ...replyHead,
    object: z.literal("text_completion"),
    choices: z.array(
      textChoice.extend({
        finish_reason: finishReason.nullable(),
        stop_reason: stopReason.optional(),
      }),
    ),
    usage: usageSchema.nullish(),
    prompt_progress: promptProgressSchema.optional(),
  })
  .meta({ id: "CompletionChunk" });

export type Usage = z.output<typeof usageSchema>;
export type TokenLogprob = z.output<typeof tokenLogprobSchema>;
export type ChatTokenLogprob = z.output<typeof chatTokenLogprobSchema>;
export type ChatCompletion = z.output<typeof chatCompletionSchema>;
export type ChatChunk = z.output<typeof chatChunkSchema>;
export type LogprobLists = z.output<typeof logprobListsSchema>;
export type TextCompletion = z.output<typeof textCompletionSchema>;
export type TextChunk = z.output<typeof textChunkSchema>;
