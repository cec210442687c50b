import * as z from "zod";

/**
 * What an answer must be, as plain data. The thought before it stays free.
 *
 * - `json_object`: a JSON object
 * - `json_schema`: JSON that satisfies a schema; `jsonSchemaExpression` says which keywords it may use
 * - `text`: exactly this text
 * - `mark`: this text, or the added token that is it where the tokenizer has one; no other part of an
 *   answer has added tokens
 * - `pattern`: a text that matches a regular expression from its beginning to its end
 * - `sequence`, `choice`, `repeat`: one after the other, one of several, one many times (`max`
 *   default: without end)
 * - `triggered`: any text; where the trigger, a mark, comes up in it, `follows` comes next and ends the
 *   answer
 */
export type Constraint =
  | { type: "json_object" }
  | { type: "json_schema"; schema: unknown }
  | { type: "text"; text: string }
  | { type: "mark"; text: string }
  | { type: "pattern"; pattern: string }
  | { type: "sequence"; parts: Constraint[] }
  | { type: "choice"; options: Constraint[] }
  | { type: "repeat"; of: Constraint; min: number; max?: number }
  | { type: "triggered"; trigger: string; follows: Constraint };

/** Raised for a constraint that cannot be kept; says what in it, and why. */
export class ConstraintError extends Error {
  override readonly name = "ConstraintError";
}

const count = z.int().nonnegative();

/** The form of a constraint; schemas and patterns in it are checked when it is compiled. */
export const constraintSchema: z.ZodType<Constraint> = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("json_object") }),
    z.strictObject({ type: z.literal("json_schema"), schema: z.unknown() }),
    z.strictObject({ type: z.literal("text"), text: z.string() }),
    z.strictObject({ type: z.literal("mark"), text: z.string() }),
    z.strictObject({ type: z.literal("pattern"), pattern: z.string() }),
    z.strictObject({ type: z.literal("sequence"), parts: z.array(constraintSchema) }),
    z.strictObject({ type: z.literal("choice"), options: z.array(constraintSchema).min(1) }),
    z.strictObject({
      type: z.literal("repeat"),
      of: constraintSchema,
      min: count,
      max: count.optional(),
    }),
    z.strictObject({
      type: z.literal("triggered"),
      trigger: z
        .string()
        .min(1)
        .refine(
          (text) => text.indexOf(text[0]!, 1) < 0,
          "its first character must not recur in it",
        ),
      follows: constraintSchema,
    }),
  ]),
) as z.ZodType<Constraint>;
