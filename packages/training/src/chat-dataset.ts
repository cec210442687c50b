import { createReadStream } from "node:fs";
import * as z from "zod";

/** Bytes of the longest line that is read; more is no conversation. */
const longestLine = 64 * 2 ** 20;

const text = z.union([
  z.string(),
  z.array(z.strictObject({ type: z.literal("text"), text: z.string() })),
]);

const toolCall = z.object({
  id: z.string().optional(),
  type: z.literal("function").optional(),
  function: z.object({
    name: z.string(),
    /** JSON, as OpenAI's API gives it. */
    arguments: z.string(),
  }),
});

const message = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), content: text }),
  z.object({ role: z.literal("user"), content: text }),
  z.object({
    role: z.literal("assistant"),
    content: text.nullish().transform((content) => content ?? ""),
    reasoning_content: z.string().nullish(),
    tool_calls: z.array(toolCall).nullish(),
  }),
  z.object({
    role: z.literal("tool"),
    content: text,
    tool_call_id: z.string().optional(),
    name: z.string().optional(),
  }),
]);

const tool = z.object({
  type: z.literal("function"),
  function: z.object({
    name: z.string(),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  }),
});

const conversation = z.object({
  messages: z
    .array(message)
    .refine(
      (messages) => messages.some(({ role }) => role === "assistant"),
      "expected at least one message of the assistant, found none",
    ),
  tools: z.array(tool).optional(),
});

/** A conversation in the form of OpenAI's chat API. */
export type Conversation = z.output<typeof conversation>;

/** Raised when a file holds something else than conversations; names file and line. */
export class ChatDatasetError extends Error {
  override readonly name = "ChatDatasetError";
}

/**
 * Reads a JSONL file, one conversation a line: `{"messages": [{"role": "user", "content": "…"},
 * {"role": "assistant", "content": "…", "reasoning_content": "…"}], "tools": […]}`. It is read as a
 * stream; empty lines are skipped.
 *
 * @throws ChatDatasetError when the file can't be read, is not UTF-8, has a line that is no
 *   conversation or is longer than 64 MiB, or has none at all
 */
export async function* readChatDataset(path: string): AsyncGenerator<Conversation, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let found = false;
  for await (const { number, bytes } of linesOf(path)) {
    const where = `${path}:${number}`;
    let json: unknown;
    try {
      const line = decoder.decode(bytes).trim();
      if (line === "") continue;
      json = JSON.parse(line);
    } catch (error) {
      const wanted = error instanceof SyntaxError ? "JSON" : "UTF-8";
      throw new ChatDatasetError(
        `${where}: expected ${wanted}, found ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
    const result = conversation.safeParse(json);
    if (!result.success) throw new ChatDatasetError(`${where}: ${problems(result.error, json)}`);
    found = true;
    yield result.data;
  }
  if (!found) throw new ChatDatasetError(`${path}: expected at least one conversation, found none`);
}

/** Each problem with the place in the line and what was found there. */
function problems({ issues }: z.ZodError, json: unknown): string {
  const all = issues.map(({ path, message: problem }) => {
    const found = path.reduce<unknown>(
      (at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key],
      json,
    );
    const place = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
    const what = (JSON.stringify(found) ?? "nothing").slice(0, 80);
    return `${place.join("").replace(/^\./, "") || "line"}: ${problem} (found ${what})`;
  });
  return all.join("; ");
}

/** The lines of a file as bytes, numbered from 1. */
async function* linesOf(path: string): AsyncGenerator<{ number: number; bytes: Uint8Array }> {
  let number = 1;
  let pieces: Buffer[] = [];
  let length = 0;
  const add = (piece: Buffer): void => {
    length += piece.length;
    if (length > longestLine) {
      throw new ChatDatasetError(
        `${path}:${number}: expected a line of at most ${longestLine} bytes, found more`,
      );
    }
    pieces.push(piece);
  };
  for await (const chunk of chunksOf(path)) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end));
      yield { number, bytes: Buffer.concat(pieces) };
      number += 1;
      pieces = [];
      length = 0;
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  yield { number, bytes: Buffer.concat(pieces) };
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const stream = createReadStream(path);
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw new ChatDatasetError(`${path}: can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
