import { z } from "zod";

/** A zod schema's input as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it). */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  return schemaOf(schema, "input");
}

/**
 * What a zod schema lets out as JSON Schema.
 *
 * @param named takes the schemas inside that have an `id` in their `meta`, by their ids; they are
 *   referred to as components of an OpenAPI document
 */
export function replySchemaOf(
  schema: z.ZodType,
  named: Record<string, unknown>,
): Record<string, unknown> {
  const { $defs = {}, ...json } = schemaOf(schema, "output");
  Object.assign(named, withComponents($defs));
  return withComponents(json);
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return json;
}

function withComponents<Json>(json: Json): Json {
  const text = JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text) as Json;
}
