import { z } from "zod";

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
