import type { FastifyInstance, RouteOptions } from "fastify";
import { z } from "zod";
import { errorSchema } from "./api-error.ts";
import { jsonSchemaOf, replySchemaOf } from "./json-schema-of.ts";

/** What the OpenAPI document says of a route. */
export interface RouteDescription {
  summary: string;
  /** What the body must be, in JSON. */
  body?: z.ZodType;
  /** The fields of a body that is a form with files. */
  form?: object;
  /** The parameters behind `?`. */
  query?: z.ZodObject;
  /** What the reply is, in JSON, or the media type of another one. */
  reply?: z.ZodType | string;
  /** What the events of the reply hold, where `stream: true` asks for a stream of them. */
  event?: z.ZodType;
  /** Where the route's own path has a wildcard: the path with the parameter's name. */
  path?: string;
}

declare module "fastify" {
  interface FastifyContextConfig {
    api?: RouteDescription;
  }
}

/** Options of a route that is part of the API. */
export function about(
  summary: string,
  more: Omit<RouteDescription, "summary"> = {},
): { config: { api: RouteDescription } } {
  return { config: { api: { summary, ...more } } };
}

/** A list in OpenAI's form. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ object: z.literal("list"), data: z.array(item) });
}

/** A page of a longer list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return listOf(item).extend({
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });
}

/** What is said of something that was deleted. */
export function deletionOf<Name extends string>(object: Name) {
  return z.object({ id: z.string(), object: z.literal(object), deleted: z.literal(true) });
}

/** HEAD is part of GET. */
const documented = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

/**
 * `GET /openapi.json`: describes the routes that say in `config.api` what they are for, of those that
 * are added after this call. Bodies are described by the schemas that check them.
 */
export function openApi(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => void routes.push(route));
  let known: object | undefined;
  const schema = z.object({ openapi: z.string() }).loose();
  app.get("/openapi.json", about("This document", { reply: schema }), () => {
    return (known ??= openApiDocument(routes));
  });
}

function openApiDocument(routes: readonly RouteOptions[]): object {
  const paths: Record<string, Record<string, object>> = {};
  const schemas: Record<string, unknown> = {};
  const json = (schema: z.ZodType) => jsonContent(replySchemaOf(schema, schemas));
  for (const { config, url, method: methods } of routes) {
    const { api, isPublic = false } = config ?? {};
    if (!api) continue;
    const path = api.path ?? url.replaceAll(/:(\w+)/g, "{$1}");
    for (const method of [methods].flat().filter((name) => documented.has(name))) {
      (paths[path] ??= {})[method.toLowerCase()] = operation(path, api, isPublic, json);
    }
  }
  const error = { content: json(errorSchema) };
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
      headers: {
        RetryAfter: { description: "Seconds until asking again makes sense", schema: integer },
      },
      responses: {
        Wrong: { description: "The request is wrong: `param` names where", ...error },
        NoKey: { description: "A valid API key is needed", ...error },
        Unknown: { description: "There is no such thing, or it is another key's", ...error },
        TooMuch: {
          description: "The limit of a key or of the queue is reached",
          headers,
          ...error,
        },
        Unavailable: { description: "Not possible for now", headers, ...error },
        Failed: { description: "Any other failure", ...error },
      },
      schemas,
    },
  };
}

const integer = { type: "integer" };
const headers = { "retry-after": { $ref: "#/components/headers/RetryAfter" } };

function operation(
  path: string,
  { summary, body, form, query, reply, event }: RouteDescription,
  isPublic: boolean,
  json: (schema: z.ZodType) => Content,
): object {
  const parameters = [...pathParameters(path), ...queryParameters(query)];
  const hasInput = body !== undefined || form !== undefined || query !== undefined;
  const failures = {
    ...(hasInput && { 400: "Wrong" }),
    ...(!isPublic && { 401: "NoKey" }),
    ...((path.includes("{") || body) && { 404: "Unknown" }),
    ...(!isPublic && { 429: "TooMuch", 503: "Unavailable" }),
    default: "Failed",
  };
  return {
    summary,
    ...(isPublic && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: jsonContent(jsonSchemaOf(body)) } }),
    ...(form && {
      requestBody: { required: true, content: { "multipart/form-data": { schema: form } } },
    }),
    responses: {
      200: {
        description: summary,
        content: {
          ...(typeof reply === "string" ? { [reply]: {} } : json(reply ?? z.unknown())),
          ...(event && { "text/event-stream": { schema: json(event)["application/json"].schema } }),
        },
      },
      ...Object.fromEntries(
        Object.entries(failures).map(([status, name]) => [
          status,
          { $ref: `#/components/responses/${name}` },
        ]),
      ),
    },
  };
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(query: z.ZodObject | undefined): object[] {
  const { properties = {} } = query ? jsonSchemaOf(query) : {};
  return Object.entries(properties as object).map(([name, schema]) => ({
    name,
    in: "query",
    schema: schema as object,
  }));
}

interface Content {
  "application/json": { schema: object };
}

const jsonContent = (schema: object): Content => ({ "application/json": { schema } });
