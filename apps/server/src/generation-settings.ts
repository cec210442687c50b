import type { ChatRequest, TextRequest } from "./api/completion-requests.ts";
import { ApiError } from "./api/api-error.ts";
import type { GenerationSettings } from "./engine/engine.ts";
import type { reasoningEfforts } from "./api/request-fields.ts";
import type { ServedModel } from "./served-model.ts";

/** Share of the context that each effort may spend on thinking; `high` and above have no limit. */
const effortShares: Record<(typeof reasoningEfforts)[number], number | undefined> = {
  none: 0,
  minimal: 1 / 64,
  low: 1 / 16,
  medium: 1 / 4,
  high: undefined,
  xhigh: undefined,
};

/**
 * The settings that a request asks for.
 *
 * @param param parameter that brought the prompt, for errors
 * @throws ApiError (400, `context_length_exceeded`) when the prompt leaves no room for an answer
 */
export function generationSettings(
  request: ChatRequest | TextRequest,
  served: ServedModel,
  promptTokens: number,
  param = promptParam(request),
): GenerationSettings {
  const limit = served.model.config.maxPositionEmbeddings;
  if (promptTokens >= limit) throw contextExceeded(limit, `${promptTokens}`, param);
  const { defaults = {} } = served;
  const asked = ("messages" in request && request.max_completion_tokens) || request.max_tokens;
  return {
    maxNewTokens: Math.min(asked ?? Infinity, limit - promptTokens),
    temperature: request.temperature ?? defaults.temperature ?? 1,
    topK: enabled(request.top_k ?? defaults.topK),
    topP: request.top_p ?? defaults.topP,
    minP: enabled(request.min_p ?? defaults.minP),
    repetitionPenalty: request.repetition_penalty ?? defaults.repetitionPenalty,
    presencePenalty: request.presence_penalty ?? undefined,
    frequencyPenalty: request.frequency_penalty ?? undefined,
    logitBias: request.logit_bias ?? undefined,
    seed: request.seed ?? undefined,
    stop: typeof request.stop === "string" ? [request.stop] : (request.stop ?? []),
    logprobs: logprobCount(request),
    thinkingBudget: thinkingBudget(request, limit),
  };
}

/** 400 in the form that clients know from OpenAI. */
export function contextExceeded(limit: number, found: string, param: string): ApiError {
  const message =
    `this model's context is ${limit} tokens, answer included; ` +
    `the prompt has ${found}: shorten it`;
  return new ApiError(400, message, { param, code: "context_length_exceeded" });
}

function promptParam(request: ChatRequest | TextRequest): string {
  return "messages" in request ? "messages" : "prompt";
}

/** A budget in tokens wins over an effort by name. */
function thinkingBudget(request: ChatRequest | TextRequest, limit: number): number | undefined {
  if (request.thinking_budget != null) return request.thinking_budget;
  const share =
    request.reasoning_effort == null ? undefined : effortShares[request.reasoning_effort];
  return share === undefined ? undefined : Math.round(share * limit);
}

function logprobCount(request: ChatRequest | TextRequest): number | undefined {
  if ("messages" in request) return request.logprobs ? (request.top_logprobs ?? 0) : undefined;
  // The best of several are known by their log-probabilities.
  const chooses = (request.best_of ?? 1) > (request.n ?? 1);
  return request.logprobs ?? (chooses ? 0 : undefined);
}

/** Filters are off at 0 and below. */
function enabled(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}
