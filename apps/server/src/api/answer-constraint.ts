import type { Constraint } from "@levin/model";
import type { z } from "zod";
import { ApiError } from "./api-error.ts";
import { checked } from "./checked-constraint.ts";
import { formatConstraint } from "./format-constraint.ts";
import type { ResponseFormat } from "./response-format.ts";
import type { structuredOutputs } from "./structured-outputs.ts";

/**
 * The constraint of an answer, from either of the parameters that can ask for one.
 *
 * @throws ApiError (400) when both do, or naming what cannot be kept
 */
export function answerConstraint(body: {
  response_format?: ResponseFormat | null | undefined;
  structured_outputs?: z.output<typeof structuredOutputs> | null | undefined;
}): Constraint | undefined {
  const format = formatConstraint(body.response_format);
  if (!body.structured_outputs) return format;
  const param = "structured_outputs";
  if (format) {
    throw new ApiError(400, `${param}: expected none beside response_format`, { param });
  }
  return checked(outputConstraint(body.structured_outputs), param);
}

function outputConstraint(forms: z.output<typeof structuredOutputs>): Constraint {
  const { choice, regex, json } = forms;
  if (choice) return { type: "choice", options: choice.map((text) => ({ type: "text", text })) };
  if (regex != null) return { type: "pattern", pattern: regex };
  if (json != null) return { type: "json_schema", schema: parsed(json) };
  return { type: "json_object" };
}

/** Clients may send a schema as text. */
function parsed(schema: unknown): unknown {
  if (typeof schema !== "string") return schema;
  try {
    return JSON.parse(schema);
  } catch {
    const param = "structured_outputs";
    throw new ApiError(400, `${param}: expected a JSON Schema in json, found broken JSON`, {
      param,
    });
  }
}
