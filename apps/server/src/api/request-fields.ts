import { z } from "zod";
import { responseFormat } from "./response-format.ts";
import { structuredOutputs } from "./structured-outputs.ts";

/** A parameter that has a meaning we cannot honour: only values that change nothing are accepted. */
export function unsupported(
  isNeutral: (value: unknown) => boolean = () => false,
  error = "is not supported by this server",
) {
  return z
    .unknown()
    .refine((value) => value == null || isNeutral(value), {
      error,
      params: { code: "unsupported_parameter" },
    })
    .optional();
}

/** Parameters for OpenAI's own bookkeeping; accepted and without effect. */
export const ignored = z.unknown().optional();

export const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
/** Amounts of thinking by name, as OpenAI's clients ask for them. */
export const reasoningEfforts = ["none", "minimal", "low", "medium", "high", "xhigh"] as const;

export const modelField = z.string("expected the id of a model, as /v1/models lists it");

const answerCount = z.int().min(1).max(16).nullish();

/** How to sample, and how long to think. */
export const samplingFields = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  /** 0 or −1: all tokens. */
  top_k: z.int().min(-1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().gt(0).max(10).nullish(),
  seed: z.int().nullish(),
  thinking_budget: z.int().min(0).nullish(),
  reasoning_effort: z.enum(reasoningEfforts).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
};

/** For OpenAI's own bookkeeping; accepted and without effect. */
export const bookkeepingFields = {
  user: ignored,
  metadata: ignored,
  store: ignored,
  service_tier: ignored,
  safety_identifier: ignored,
  prompt_cache_key: ignored,
  prompt_cache_options: ignored,
  prompt_cache_retention: ignored,
};

/** Parameters of both completion endpoints: how to sample, when to end, how to reply. */
export const commonFields = {
  ...samplingFields,
  ...bookkeepingFields,
  model: modelField,
  max_tokens: z.int().min(1).nullish(),
  stop: z
    .union([z.string().min(1), z.array(z.string().min(1)).max(16)], {
      error: "expected a non-empty text or a list of at most 16 of them",
    })
    .nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .object({ include_usage: z.boolean().nullish(), include_obfuscation: ignored })
    .nullish(),
  /** Whether a stream tells how far the prompt is read. */
  return_progress: z.boolean().nullish(),
  /** Answers to draw; the prompt is read once. */
  n: answerCount,
  response_format: responseFormat.nullish(),
  structured_outputs: structuredOutputs.nullish(),
  /** By token id. */
  logit_bias: z
    .record(z.string().regex(/^\d{1,9}$/), z.number().min(-100).max(100), {
      error: "expected biases from -100 to 100 by token id",
    })
    .nullish(),
};

/** Parameters of chat completions alone that this server refuses or ignores. */
export const refusedChatFields = {
  functions: unsupported(isEmptyList),
  function_call: unsupported((value) => value === "none" || value === "auto"),
  modalities: unsupported((value) => Array.isArray(value) && value.join() === "text"),
  audio: unsupported(),
  moderation: unsupported(),
  prediction: unsupported(),
  web_search_options: unsupported(),
  verbosity: ignored,
};

/** Answers drawn for each prompt, of which the likeliest are given. */
export const bestOf = answerCount;

/** Parameters of text completions alone that this server refuses. */
export const refusedTextFields = {
  suffix: unsupported(
    (value) => value === "",
    "is not supported: this model was not trained to fill in the middle of a text",
  ),
};
