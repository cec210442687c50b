import type { Constraint } from "@levin/model";
import { checked } from "./checked-constraint.ts";
import type { ResponseFormat } from "./response-format.ts";

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
