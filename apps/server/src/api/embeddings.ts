import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { GenerationService } from "../scheduling/generation-service.ts";
import type { ServedModel } from "../served-model.ts";
import { ApiError } from "./api-error.ts";
import { parseBody, tokenIds } from "./completion-requests.ts";
import { shortList } from "./message-text.ts";
import { clientSignal } from "./event-stream.ts";
import { checkModel } from "./models.ts";
import { about, listOf } from "./openapi.ts";
import { promptIds } from "./prompt-ids.ts";
import { ignored, modelField } from "./request-fields.ts";

/** Texts of one request, and tokens of them all, as OpenAI allows. */
const maximalTexts = 2048;
const maximalTokens = 300_000;

type Input = string | number[];
const filled = z.string().min(1);

/** Body of `POST /v1/embeddings`. */
export const embeddingsSchema = z.strictObject({
  model: modelField,
  input: z.union(
    [
      filled.transform((text): Input[] => [text]),
      tokenIds.transform((ids): Input[] => [ids]),
      shortList(z.union([filled, tokenIds]), maximalTexts).refine((inputs) => inputs.length > 0),
    ],
    {
      error: `expected a non-empty text, a list of token ids, or a list of at most ${maximalTexts} of these`,
    },
  ),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: ignored,
});

const embeddingListSchema = listOf(
  z.object({
    object: z.literal("embedding"),
    index: z.int().min(0),
    /** Of length 1; in base64 as little-endian float32. */
    embedding: z.union([z.array(z.number()), z.base64()]),
  }),
)
  .extend({
    model: z.string(),
    usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .meta({ id: "Embeddings" });

/** `POST /v1/embeddings`: vectors of length 1 by the model itself. */
export function embeddings(app: FastifyInstance, service: GenerationService): void {
  const { served } = service;
  const options = about("Embeds texts", { body: embeddingsSchema, reply: embeddingListSchema });
  app.post("/v1/embeddings", options, async (request, reply) => {
    const body = parseBody(embeddingsSchema, request.body);
    checkModel(body.model, served.modelId);
    const texts = body.input.map((input) => embeddedIds(input, served));
    const tokens = texts.reduce((sum, ids) => sum + ids.length, 0);
    if (tokens > maximalTokens) {
      throw new ApiError(400, `input: expected at most ${maximalTokens} tokens, found ${tokens}`, {
        param: "input",
      });
    }
    const vectors = await service.embed(texts, clientSignal(reply), request);
    checkDimensions(body.dimensions, vectors[0]!.length);
    const data = vectors.map((vector, index) => ({
      object: "embedding" as const,
      index,
      embedding: body.encoding_format === "base64" ? base64(vector) : [...vector],
    }));
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    return { object: "list", data, model: body.model, usage };
  });
}

/**
 * Only whole vectors are given: cut ones mean something only of a model that was trained for it.
 * @throws ApiError (400)
 */
function checkDimensions(asked: number | null | undefined, found: number): void {
  if (asked == null || asked === found) return;
  const message =
    `dimensions: expected ${found}, as many as this model's vectors have, found ${asked}: ` +
    "it was not trained for shorter ones";
  throw new ApiError(400, message, { param: "dimensions", code: "unsupported_parameter" });
}

function embeddedIds(input: Input, served: ServedModel): number[] {
  // Texts to embed come from outside: marks in them are plain characters.
  return promptIds(input, "input", served, { parseSpecialTokens: false });
}

/** Little-endian float32, as OpenAI's clients read it. */
function base64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
  return bytes.toString("base64");
}
