import { z } from "zod";
import { ApiError, invalidBody } from "../api/api-error.ts";
import { checkJsonShape } from "../api/json-shape.ts";
import type { Session, SessionMessage, SessionState } from "./session.ts";
import { metadata } from "./session-requests.ts";

const format = "levin-session";
const version = 1;
/** Token ids of a file: those of the longest sessions, many times. */
const mostTokens = 2 ** 24;

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
type SessionFile = z.output<typeof fileSchema>;

/** A file that was read: its messages and its state as they are kept. */
export interface ReadFile extends Pick<SessionFile, "title" | "metadata" | "tools" | "model"> {
  messages: SessionMessage[];
  state: SessionState | undefined;
}

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
export function parseFile(json: Uint8Array): ReadFile {
  checkJsonShape(json, mostTokens);
  const result = fileSchema.safeParse(parseJson(json));
  if (!result.success) throw invalidBody(result.error);
  const { format: _, version: __, messages, state, ...file } = result.data;
  const total = messages.reduce((sum, { tokens }) => sum + (tokens?.length ?? 0), 0);
  if (state && (state.message >= messages.length || state.tokens > total)) {
    throw new ApiError(
      400,
      `state: expected one of at most ${messages.length} messages and ${total} tokens, ` +
        `found one after message ${state.message} and ${state.tokens} tokens`,
      { param: "state" },
    );
  }
  return {
    ...file,
    messages: messages.map(({ message, tokens, created_at }) => ({
      message,
      tokens,
      createdAt: created_at,
    })),
    state: state
      ? { position: state.message, tokens: state.tokens, bytes: bytesOf(state.bytes) }
      : undefined,
  };
}

/** @throws ApiError (400) */
function parseJson(json: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString());
  } catch {
    throw new ApiError(400, "request body: expected a session's file, found no JSON", {
      code: "invalid_json",
    });
  }
}

/** In memory of their own, which may go to another thread: Buffers share theirs. */
function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}
