import { z } from "zod";
import { messageText, shortList } from "../message-text.ts";
import {
  bookkeepingFields,
  commonFields,
  ignored,
  isEmptyList,
  modelField,
  samplingFields,
  unsupported,
} from "../request-fields.ts";
import { allowedMode, functionDefinition, functionName, toolFields } from "../tools.ts";

const messageItem = z.object({
  type: z.literal("message").optional(),
  role: z.enum(["system", "developer", "user", "assistant"]),
  content: messageText("input_text", "output_text", "text"),
});

/** An item of a conversation. */
export const inputItem = z.union(
  [
    z.object({
      type: z.literal("function_call"),
      call_id: z.string(),
      name: z.string(),
      arguments: z.string(),
    }),
    z.object({
      type: z.literal("function_call_output"),
      call_id: z.string(),
      output: messageText("input_text"),
    }),
    // Thoughts of earlier turns are no part of M1's conversations.
    z.object({ type: z.literal("reasoning") }),
    messageItem,
  ],
  {
    error:
      "expected a message of text, a function_call, a function_call_output or a reasoning item",
  },
);

/** Items of a conversation. */
const inputItems = shortList(inputItem);

export const textFormat = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("text") }),
    z.object({ type: z.literal("json_object") }),
    z.object({
      type: z.literal("json_schema"),
      name: z.string().optional(),
      description: z.string().nullish(),
      schema: z.unknown().optional(),
      strict: z.boolean().nullish(),
    }),
  ],
  { error: "expected an object of type text, json_object or json_schema" },
);

const namedFunction = z.object({ type: z.literal("function"), name: functionName });

/** What a response may hold beside its items; what this server never has is not missed. */
const includable = z.enum([
  "message.output_text.logprobs",
  "reasoning.encrypted_content",
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
]);

/** Body of `POST /v1/responses`. */
export const responseSchema = z.strictObject({
  ...samplingFields,
  ...bookkeepingFields,
  model: modelField,
  stream: commonFields.stream,
  input: z.union(
    [
      z.string().min(1),
      inputItems.refine((items) => items.length > 0, "expected at least one item"),
    ],
    { error: "expected a non-empty text or a list of items" },
  ),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  max_output_tokens: commonFields.max_tokens,
  tools: z
    .array(
      z.object({
        type: z.literal("function", { error: "only tools of type function are supported" }),
        ...functionDefinition.shape,
      }),
    )
    .max(128)
    .nullish(),
  tool_choice: z
    .union(
      [
        z.enum(["none", "auto", "required"]),
        namedFunction,
        z.object({
          type: z.literal("allowed_tools"),
          mode: allowedMode,
          tools: z.array(namedFunction),
        }),
      ],
      {
        error: "expected none, auto, required, a function by its name, or allowed_tools",
      },
    )
    .nullish(),
  parallel_tool_calls: toolFields.parallel_tool_calls,
  text: z.object({ format: textFormat.nullish(), verbosity: ignored }).nullish(),
  reasoning: z
    .object({ effort: commonFields.reasoning_effort, summary: ignored, generate_summary: ignored })
    .nullish(),
  stream_options: z.object({ include_obfuscation: ignored }).nullish(),
  /** Whether later responses may go on from this one; default true. */
  store: z.boolean().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  truncation: unsupported((value) => value === "disabled"),
  background: unsupported((value) => value === false),
  conversation: unsupported(),
  prompt: unsupported(),
  moderation: unsupported(),
  image: unsupported(),
  access_programs: unsupported(),
  context_management: unsupported(isEmptyList),
  /** Likeliest tokens at each place; above 0 it asks for log-probabilities, as `include` does. */
  top_logprobs: z.int().min(0).max(20).nullish(),
  include: z.array(includable).nullish(),
  max_tool_calls: ignored,
});

/** A checked body of `POST /v1/responses`. */
export type ResponseRequest = z.output<typeof responseSchema>;
export type InputItem = z.output<typeof inputItem>;

/** Whether log-probabilities are asked for. */
export function wantsLogprobs({ include, top_logprobs: top }: ResponseRequest): boolean {
  return include?.includes("message.output_text.logprobs") === true || (top ?? 0) > 0;
}
