import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { modelDescriptionSchema, type ServedModel } from "../served-model.ts";
import { ApiError } from "./api-error.ts";
import { about, listOf } from "./openapi.ts";
import { seconds } from "./seconds.ts";

const modelCardSchema = z
  .object({
    id: z.string(),
    object: z.literal("model"),
    created: z.int(),
    owned_by: z.string(),
    /** What OpenAI's form has no place for. */
    levin: modelDescriptionSchema.partial().extend({ context_length: z.int() }),
  })
  .meta({ id: "Model" });

type ModelCard = z.output<typeof modelCardSchema>;

const listRoute = about("Lists the models", { reply: listOf(modelCardSchema) });

/** `GET /v1/models` and `/v1/models/{id}`; `levin` holds facts that OpenAI's form has no place for. */
export function models(app: FastifyInstance, served: ServedModel): void {
  const card: ModelCard = {
    id: served.modelId,
    object: "model",
    created: seconds(Date.now()),
    owned_by: "levin",
    levin: {
      context_length: served.model.config.maxPositionEmbeddings,
      ...served.description,
    },
  };
  app.get("/v1/models", listRoute, () => ({ object: "list", data: [card] }));
  // An id may contain slashes.
  const one = about("A model", { path: "/v1/models/{id}", reply: modelCardSchema });
  app.get<{ Params: { "*": string } }>("/v1/models/*", one, (request) => {
    checkModel(request.params["*"], served.modelId);
    return card;
  });
}

/** @throws ApiError (404) when another model is asked for */
export function checkModel(asked: string, modelId: string): void {
  if (asked === modelId) return;
  throw new ApiError(404, `the model "${asked}" does not exist; this server has "${modelId}"`, {
    param: "model",
    code: "model_not_found",
  });
}
