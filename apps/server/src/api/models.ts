import type { FastifyInstance } from "fastify";
import type { ServedModel } from "../served-model.ts";
import { ApiError } from "./api-error.ts";

/** `GET /v1/models` and `/v1/models/{id}`; `levin` holds facts that OpenAI's form has no place for. */
export function models(app: FastifyInstance, served: ServedModel): void {
  const card = {
    id: served.modelId,
    object: "model",
    created: Math.floor(Date.now() / 1000),
    owned_by: "levin",
    levin: {
      context_length: served.model.config.maxPositionEmbeddings,
      ...served.description,
    },
  };
  const list = { config: { api: { summary: "Lists the models" } } };
  app.get("/v1/models", list, () => ({ object: "list", data: [card] }));
  // An id may contain slashes.
  const one = { config: { api: { summary: "A model", path: "/v1/models/{id}" } } };
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
