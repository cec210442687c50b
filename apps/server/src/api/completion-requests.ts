import { z } from "zod";
import { invalidBody } from "./api-error.ts";
import { bestOf, commonFields, refusedChatFields, refusedTextFields } from "./request-fields.ts";
import { messageText, shortList } from "./message-text.ts";
import { messageToolCalls, toolFields } from "./tools.ts";

const content = messageText("text");

const filledContent = content.refine(
  (text) => text.trim() !== "",
  "expected some text, found none",
);

const message = z.discriminatedUnion(
  "role",
  [
    z.object({ role: z.enum(["system", "developer"]), content }),
    z.object({ role: z.literal("user"), content: filledContent }),
    z.object({
      role: z.literal("assistant"),
      content: z.preprocess((value) => value ?? "", content),
      tool_calls: messageToolCalls,
    }),
    z.object({
      role: z.literal("tool"),
      content,
      name: z.string().optional(),
      tool_call_id: z.string().optional(),
    }),
  ],
  { error: "expected a message of role system, developer, user, assistant or tool" },
);

const isFilled = (messages: readonly unknown[]): boolean => messages.length > 0;
const noMessage = "expected at least one message, found none";

/** Messages, or none. */
export const messageList = shortList(message);

/** A conversation. */
export const chatMessageList = messageList.refine(isFilled, noMessage);

/** Body of `POST /v1/chat/completions`. */
export const chatSchema = z
  .strictObject({
    ...commonFields,
    ...refusedChatFields,
    ...toolFields,
    messages: messageList,
    /** Id of a session that the messages are added to; none of them answers its last one again. */
    session: z.string().min(1).nullish(),
    max_completion_tokens: commonFields.max_tokens,
    logprobs: z.boolean().nullish(),
    top_logprobs: z.int().min(0).max(20).nullish(),
  })
  .refine((body) => isFilled(body.messages) || body.session != null, {
    path: ["messages"],
    error: noMessage,
  })
  .refine((body) => (body.n ?? 1) === 1 || body.session == null, {
    path: ["n"],
    error: "a session goes on with one answer: fork it for others",
  })
  .refine((body) => body.top_logprobs == null || body.logprobs === true, {
    path: ["top_logprobs"],
    error: "needs logprobs: true",
  })
  .refine((body) => body.stream_options == null || body.stream === true, {
    path: ["stream_options"],
    error: "needs stream: true",
  });

type Prompt = string | number[];

/** Prompts of one request. */
const maximalPrompts = 64;

/** One check for the whole list: it may hold millions of ids. */
export const tokenIds = z
  .custom<number[]>(
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((id) => Number.isInteger(id) && id >= 0),
    "expected a list of token ids",
  )
  .meta({ type: "array", items: { type: "integer", minimum: 0 }, minItems: 1 });

/** Body of `POST /v1/completions`. */
export const textSchema = z
  .strictObject({
    ...commonFields,
    ...refusedTextFields,
    prompt: z.union(
      [
        z
          .string()
          .min(1)
          .transform((text): Prompt[] => [text]),
        tokenIds.transform((ids): Prompt[] => [ids]),
        shortList(z.union([z.string().min(1), tokenIds]), maximalPrompts).refine(
          (prompts) => prompts.length > 0,
        ),
      ],
      {
        error: `expected a non-empty text, a list of token ids, or a list of at most ${maximalPrompts} of these`,
      },
    ),
    best_of: bestOf,
    logprobs: z.int().min(0).max(5).nullish(),
    /** Whether the text begins with the prompt. */
    echo: z.boolean().nullish(),
  })
  .refine(({ echo, logprobs }) => echo !== true || logprobs == null, {
    path: ["echo"],
    error: "is not supported together with logprobs: those of a prompt are not worked out",
    params: { code: "unsupported_parameter" },
  })
  .refine(({ best_of: best, n }) => best == null || best >= (n ?? 1), {
    path: ["best_of"],
    error: "expected at least n",
  })
  .refine(({ best_of: best, n, stream }) => !stream || (best ?? 1) <= (n ?? 1), {
    path: ["best_of"],
    error: "cannot be streamed: the best are known at the end",
  })
  .refine((body) => body.stream_options == null || body.stream === true, {
    path: ["stream_options"],
    error: "needs stream: true",
  });

/** A checked body of `POST /v1/chat/completions`. */
export type ChatRequest = z.output<typeof chatSchema>;
/** A checked body of `POST /v1/completions`. */
export type TextRequest = z.output<typeof textSchema>;

/** @throws ApiError (400) naming the first wrong parameter */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
): z.output<Schema> {
  const result = schema.safeParse(body);
  if (!result.success) throw invalidBody(result.error);
  return result.data;
}
