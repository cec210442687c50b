import { z } from "zod";

/** What vLLM's clients ask for beside `response_format`: an answer of one of these forms. */
export const structuredOutputs = z
  .strictObject({
    choice: z.array(z.string().min(1)).min(1).nullish(),
    regex: z.string().nullish(),
    json: z.unknown().optional(),
    json_object: z.literal(true).nullish(),
  })
  .refine((forms) => Object.values(forms).filter((form) => form != null).length === 1, {
    error: "expected one of choice, regex, json and json_object",
  });
