import { z } from "zod";
import { ApiError, invalidBody } from "../api/api-error.ts";
import type { Session, SessionMessage, SessionState } from "./session.ts";
import { metadata } from "./session-requests.ts";

const format = "levin-session";
const version = 1;

const role = z.enum(["system", "user", "assistant", "tool"]);
const largestId = 2 ** 32 - 1;

/** One check for the whole list: a file may hold millions of ids. */
const tokenIds = z
  .custom<number[]>(
    (value) =>
      Array.isArray(value) &&
      value.every((id) => Number.isInteger(id) && id >= 0 && id <= largestId),
    `expected a list of token ids in 0..${largestId}, or null`,
  )
  .meta({ type: "array", items: { type: "integer", minimum: 0, maximum: largestId } });

const toolCall = z.object({
  id: z.string().optional(),
  type: z.literal("function").optional(),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

export const messageSchema = z.object({
  role,
  content: z.string(),
  reasoning_content: z.string().optional(),
  name: z.string().optional(),
  tool_calls: z.array(toolCall).optional(),
  tool_call_id: z.string().optional(),
});

const tool = z.object({
  type: z.literal("function"),
  function: z.object({
    name: z.string(),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  }),
});

export const fileSchema = z.strictObject({
  format: z.literal(format),
  version: z.literal(version, { error: `expected version ${version}` }),
  title: z.string().max(200).nullable(),
  metadata,
  tools: z.array(tool).nullable(),
  model: z.object({ id: z.string(), fingerprint: z.string() }),
  messages: z
    .array(
      z.object({
        message: messageSchema,
        tokens: tokenIds.nullable(),
        created_at: z.int().min(0),
      }),
    )
    .max(10_000),
  state: z
    .object({ message: z.int().min(0), tokens: z.int().min(1), bytes: z.base64() })
    .nullable(),
});

/** A session as one file: messages, token ids, the last state, and what model they are of. */
export type SessionFile = z.output<typeof fileSchema>;

export function toFile(
  session: Session,
  messages: readonly SessionMessage[],
  state: SessionState | undefined,
): object {
  return {
    format,
    version,
    title: session.title,
    metadata: session.metadata,
    tools: session.tools,
    model: { id: session.model, fingerprint: session.fingerprint },
    messages: messages.map((one) => ({
      message: one.message,
      tokens: one.tokens,
      created_at: one.createdAt,
    })),
    state: state
      ? {
          message: state.position,
          tokens: state.tokens,
          bytes: Buffer.from(state.bytes).toString("base64"),
        }
      : null,
  };
}

/** @throws ApiError (400) naming the first wrong field */
export function parseFile(body: unknown): SessionFile {
  const result = fileSchema.safeParse(body);
  if (!result.success) throw invalidBody(result.error);
  const { messages, state } = result.data;
  const total = messages.reduce((sum, { tokens }) => sum + (tokens?.length ?? 0), 0);
  if (state && (state.message >= messages.length || state.tokens > total)) {
    throw new ApiError(
      400,
      `state: expected one of at most ${messages.length} messages and ${total} tokens, ` +
        `found one after message ${state.message} and ${state.tokens} tokens`,
      { param: "state" },
    );
  }
  return result.data;
}

export function fileMessages({ messages }: SessionFile): SessionMessage[] {
  return messages.map(({ message, tokens, created_at }) => ({
    message,
    tokens,
    createdAt: created_at,
  }));
}

export function fileState({ state }: SessionFile): SessionState | undefined {
  if (!state) return undefined;
  return {
    position: state.message,
    tokens: state.tokens,
    bytes: Buffer.from(state.bytes, "base64"),
  };
}
