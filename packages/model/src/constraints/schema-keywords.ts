import * as z from "zod";
import { ConstraintError } from "./constraint.ts";

const types = ["object", "array", "string", "number", "integer", "boolean", "null"] as const;

/** A type of JSON Schema. */
export type SchemaType = (typeof types)[number];

const count = z.int().nonnegative().max(100_000);
const subschema = z.unknown();
const subschemas = z.record(z.string(), subschema);
const annotation = z.unknown().optional();

/** Keywords that say nothing about a value. */
const annotations = {
  title: annotation,
  description: annotation,
  default: annotation,
  examples: annotation,
  deprecated: annotation,
  readOnly: annotation,
  writeOnly: annotation,
  $schema: annotation,
  $id: annotation,
  $comment: annotation,
  $defs: annotation,
  definitions: annotation,
};

/** One level of a JSON Schema; what lies inside is checked when it is reached. */
const keywordsSchema = z.strictObject({
  type: z.union([z.enum(types), z.array(z.enum(types)).min(1)]).optional(),
  enum: z.array(z.unknown()).min(1).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(subschema).min(1).optional(),
  oneOf: z.array(subschema).min(1).optional(),
  allOf: z.tuple([subschema], "expected one schema: several cannot be kept together").optional(),
  $ref: z.string().optional(),
  properties: subschemas.optional(),
  required: z.array(z.string()).optional(),
  propertyNames: subschema.optional(),
  additionalProperties: subschema.optional(),
  items: subschema.optional(),
  prefixItems: z.array(subschema).optional(),
  minItems: count.optional(),
  maxItems: count.optional(),
  uniqueItems: z.literal(false, "cannot be kept").optional(),
  minLength: count.optional(),
  maxLength: count.optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  ...annotations,
});

/** The keywords of one level of a JSON Schema. */
export type Keywords = z.output<typeof keywordsSchema>;

/** @throws ConstraintError naming the first keyword that cannot be kept, and where it stands */
export function keywordsOf(schema: unknown, where: string): Keywords {
  const result = keywordsSchema.safeParse(schema);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const keyword = issue.code === "unrecognized_keys" ? issue.keys[0]! : issue.path.join(".");
  const problem = issue.code === "unrecognized_keys" ? "is not supported" : issue.message;
  throw schemaError(where, keyword, problem);
}

/** Checks that no keyword but these stands in a schema, beside those that say nothing. */
export function onlyKeywords(
  keywords: Keywords,
  allowed: readonly (keyof Keywords)[],
  where: string,
): void {
  const found = Object.keys(keywords) as (keyof Keywords)[];
  const other = found.find((keyword) => !(keyword in annotations) && !allowed.includes(keyword));
  if (other === undefined) return;
  throw schemaError(where, other, `is not supported beside ${allowed[0]}`);
}

/** @param where path of the schema, with a point at its end unless it is empty */
export function schemaError(where: string, keyword: string, problem: string): ConstraintError {
  const path = keyword === "" ? where.replace(/\.$/, "") : where + keyword;
  return new ConstraintError(`schema: ${path === "" ? problem : `${path}: ${problem}`}`);
}
