import { z } from "zod";

/** A zod schema's input as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it). */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return json;
}
