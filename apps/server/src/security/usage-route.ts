import type { FastifyInstance } from "fastify";
import { ApiError } from "../api/api-error.ts";
import type { UsageBook, UsageCounts } from "./key-usage.ts";

/** `GET /v1/usage`: what the key that asks has used, in all and today (UTC), and its limits. */
export function usageRoute(app: FastifyInstance, usage: UsageBook): void {
  app.get("/v1/usage", ({ apiKey }) => {
    if (apiKey === null) {
      throw new ApiError(404, "this server needs no API keys, so it counts no usage");
    }
    const { id, name, created, limits } = apiKey;
    const { total, day, today } = usage.of(id);
    return {
      object: "usage",
      key: { id, name, created },
      limits: {
        requests_per_minute: limits.requestsPerMinute ?? null,
        tokens_per_minute: limits.tokensPerMinute ?? null,
        tokens_per_day: limits.tokensPerDay ?? null,
        concurrent_requests: limits.concurrentRequests ?? null,
      },
      total: countsBody(total),
      today: { date: day, ...countsBody(today) },
    };
  });
}

function countsBody({ requests, promptTokens, completionTokens }: UsageCounts): object {
  return {
    requests,
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
