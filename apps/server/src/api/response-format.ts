import { checkConstraint, ConstraintError, type Constraint } from "@levin/model";
import { z } from "zod";
import { ApiError } from "./api-error.ts";

/** What form an answer must have, as chat completions ask for it. */
export const responseFormat = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("text") }),
    z.object({ type: z.literal("json_object") }),
    z.object({
      type: z.literal("json_schema"),
      json_schema: z.object({
        name: z.string().optional(),
        description: z.string().nullish(),
        schema: z.unknown().optional(),
        strict: z.boolean().nullish(),
      }),
    }),
  ],
  { error: "expected an object of type text, json_object or json_schema" },
);

export type ResponseFormat = z.output<typeof responseFormat>;

/**
 * The constraint that keeps an answer to its form; undefined where any text will do. A schema is
 * kept whether it is called strict or not.
 *
 * @throws ApiError (400) naming what in a schema cannot be kept
 */
export function formatConstraint(
  format: ResponseFormat | null | undefined,
  param = "response_format",
): Constraint | undefined {
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return format;
  const { schema = {} } = format.json_schema;
  return checked({ type: "json_schema", schema }, param);
}

/** @throws ApiError (400) of the parameter that the constraint comes from */
export function checked(constraint: Constraint, param: string): Constraint {
  try {
    checkConstraint(constraint);
    return constraint;
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    throw new ApiError(400, `${param}: ${error.message}`, { param, code: "invalid_schema" });
  }
}
