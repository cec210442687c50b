import { z } from "zod";
import { pageOf } from "../openapi.ts";
import { textFormat } from "./response-request.ts";

/* What replies about responses are, in OpenAI's form. */

const count = z.int().min(0);
const status = z.enum(["in_progress", "completed", "incomplete"]);
const parts = z.array(z.looseObject({ type: z.string() }));

/** An item of a conversation. */
const itemSchema = z
  .discriminatedUnion("type", [
    z.object({
      id: z.string(),
      type: z.literal("message"),
      status,
      role: z.enum(["system", "developer", "user", "assistant"]),
      content: parts,
    }),
    z.object({
      id: z.string(),
      type: z.literal("reasoning"),
      status,
      summary: z.array(z.unknown()),
      content: parts,
    }),
    z.object({
      id: z.string(),
      type: z.literal("function_call"),
      status,
      call_id: z.string(),
      name: z.string(),
      arguments: z.string(),
    }),
    z.object({
      id: z.string(),
      type: z.literal("function_call_output"),
      status,
      call_id: z.string(),
      output: z.string(),
    }),
  ])
  .meta({ id: "ResponseItem" });

/** A response, whole or as it grows. */
export const responseObjectSchema = z
  .object({
    id: z.string(),
    object: z.literal("response"),
    created_at: z.int(),
    completed_at: z.int().optional(),
    status,
    background: z.literal(false),
    error: z.null(),
    incomplete_details: z.object({ reason: z.string() }).nullable(),
    instructions: z.string().nullable(),
    max_output_tokens: z.int().nullable(),
    metadata: z.record(z.string(), z.string()),
    model: z.string(),
    output: z.array(itemSchema),
    parallel_tool_calls: z.boolean(),
    previous_response_id: z.string().nullable(),
    reasoning: z.object({ effort: z.string().nullable(), summary: z.null() }),
    store: z.boolean(),
    temperature: z.number().nullable(),
    text: z.object({ format: textFormat }),
    tool_choice: z.unknown(),
    tools: z.array(z.looseObject({ type: z.literal("function"), name: z.string() })),
    top_p: z.number().nullable(),
    truncation: z.literal("disabled"),
    usage: z
      .object({
        input_tokens: count,
        input_tokens_details: z.object({ cached_tokens: count }),
        output_tokens: count,
        output_tokens_details: z.object({ reasoning_tokens: count }),
        total_tokens: count,
      })
      .nullable(),
    user: z.null(),
  })
  .meta({ id: "Response" });

/** An event of a streamed response; which fields it has depends on its type. */
export const responseEventSchema = z
  .looseObject({
    type: z.string(),
    sequence_number: count,
    response: responseObjectSchema.optional(),
  })
  .meta({ id: "ResponseEvent" });

/** A page of what a response answers. */
export const itemPageReply = pageOf(itemSchema);
