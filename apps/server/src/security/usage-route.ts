import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ApiError } from "../api/api-error.ts";
import { about } from "../api/openapi.ts";
import type { UsageBook, UsageCounts } from "./key-usage.ts";

const count = z.int().min(0);
const limit = z.int().nullable();
const countsSchema = z.object({
  requests: count,
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
});

const keyUsageSchema = z
  .object({
    object: z.literal("usage"),
    key: z.object({ id: z.string(), name: z.string(), created: z.string() }),
    limits: z.object({
      requests_per_minute: limit,
      tokens_per_minute: limit,
      tokens_per_day: limit,
      concurrent_requests: limit,
    }),
    total: countsSchema,
    /** Of the day in UTC. */
    today: countsSchema.extend({ date: z.string() }),
  })
  .meta({ id: "KeyUsage" });

const usageOptions = about("What the API key that asks has used, and its limits", {
  reply: keyUsageSchema,
});

/** `GET /v1/usage`: what the key that asks has used, in all and today (UTC), and its limits. */
export function usageRoute(app: FastifyInstance, usage: UsageBook): void {
  app.get("/v1/usage", usageOptions, ({ apiKey }): z.output<typeof keyUsageSchema> => {
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

function countsBody({
  requests,
  promptTokens,
  completionTokens,
}: UsageCounts): z.output<typeof countsSchema> {
  return {
    requests,
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
