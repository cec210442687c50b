import type { FastifyInstance, RouteOptions } from "fastify";
import type { z } from "zod";
import { jsonSchemaOf } from "./json-schema-of.ts";

/** What the OpenAPI document says of a route. */
export interface RouteDescription {
  summary: string;
  /** What the body must be. */
  body?: z.ZodType;
  /** Whether `stream: true` makes the reply a stream of events. */
  streams?: boolean;
  /** Where the route's own path has a wildcard: the path with the parameter's name. */
  path?: string;
}

declare module "fastify" {
  interface FastifyContextConfig {
    api?: RouteDescription;
  }
}

const documented = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

/**
 * `GET /openapi.json`: describes all routes that are added after this call. What a route says of
 * itself stands in its `config.api`; bodies are described by the schemas that check them.
 */
export function openApi(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => void routes.push(route));
  let known: object | undefined;
  const config = { api: { summary: "This document" } };
  app.get("/openapi.json", { config }, () => (known ??= openApiDocument(routes)));
}

function openApiDocument(routes: readonly RouteOptions[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.config?.api?.path ?? route.url.replaceAll(/:(\w+)/g, "{$1}");
    // The chat page's files are no part of the API.
    if (path.includes("*")) continue;
    for (const method of [route.method].flat()) {
      if (documented.has(method)) {
        (paths[path] ??= {})[method.toLowerCase()] = operation(path, route.config?.api);
      }
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Levin",
      description: "OpenAI-compatible API for lightning-attention language models.",
      version: "1",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{}, { key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: "http", scheme: "bearer" } },
      responses: {
        Error: { description: "An error in OpenAI's form", content: json(errorSchema) },
      },
    },
  };
}

function operation(path: string, description: RouteDescription | undefined): object {
  const { summary = path, body, streams = false } = description ?? {};
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const content = { ...json({}), ...(streams && { "text/event-stream": {} }) };
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: json(jsonSchemaOf(body)) } }),
    responses: {
      200: { description: "The reply", content },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

const json = (schema: object): object => ({ "application/json": { schema } });

const orNull = { type: ["string", "null"] };
const errorSchema = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["message", "type", "param", "code"],
      properties: {
        message: { type: "string" },
        type: { type: "string" },
        param: orNull,
        code: orNull,
      },
    },
  },
};
