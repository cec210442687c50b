import { z } from "zod";
import { invalidBody } from "../api/api-error.ts";
import { checkJsonShape } from "../api/json-shape.ts";

/** Routes whose requests a batch may hold. */
export const batchEndpoints = [
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/embeddings",
  "/v1/responses",
] as const;

/** One request of a batch. */
export interface BatchItem {
  custom_id: string;
  url: string;
  body: { model: string } & Record<string, unknown>;
}

/** What is wrong with a line of a batch's file, in OpenAI's form; lines count from 1. */
export interface LineError {
  code: string;
  message: string;
  param: string | null;
  line: number;
}

const maximalLines = 50_000;
/** Characters of a line: as large as a request may be. */
const longestLine = 8 * 2 ** 20;
/** More would tell nothing new. */
const maximalErrors = 100;

const lineSchema = (endpoint: string) =>
  z.object({
    custom_id: z.string().min(1).max(512),
    method: z.literal("POST"),
    url: z.literal(endpoint, { error: `expected ${endpoint}, the endpoint of the batch` }),
    body: z.looseObject({
      model: z.string(),
      stream: z.literal(false, { error: "a batch can't be streamed" }).nullish(),
      // Whoever answers a line has no session or response of the servers.
      session: z.null({ error: "a batch can't go on with sessions" }).optional(),
      previous_response_id: z.null({ error: "a batch can't go on with responses" }).optional(),
    }),
  });

/**
 * Reads the lines of a batch's file; either all are right, or there are errors.
 * @returns each request as JSON of a `BatchItem`
 */
export async function readBatchInput(
  content: AsyncIterable<Buffer>,
  endpoint: string,
): Promise<{ items: string[]; errors: LineError[] }> {
  const schema = lineSchema(endpoint);
  const items: string[] = [];
  const errors: LineError[] = [];
  const names = new Set<string>();
  let line = 0;
  for await (const text of linesOf(content)) {
    line += 1;
    if (text.trim() === "") continue;
    const error = (code: string, message: string, param: string | null = null): void =>
      void errors.push({ code, message, param, line });
    if (text.length > longestLine) {
      error("line_too_long", `expected at most ${longestLine} characters`);
      break;
    }
    const result = schema.safeParse(parseJson(text));
    if (!result.success) {
      const { message, param } = invalidBody(result.error);
      error("invalid_line", message.replace(/^request body: /, ""), param);
    } else if (names.has(result.data.custom_id)) {
      error("duplicate_custom_id", "custom_id: expected one for each line", "custom_id");
    } else {
      const { custom_id, url, body } = result.data;
      names.add(custom_id);
      items.push(JSON.stringify({ custom_id, url, body } satisfies BatchItem));
    }
    if (items.length > maximalLines) {
      error("too_many_lines", `expected at most ${maximalLines} lines`);
    }
    if (errors.length >= maximalErrors || items.length > maximalLines) break;
  }
  if (items.length === 0 && errors.length === 0) {
    const message = "expected at least one request, found none";
    errors.push({ code: "empty_file", message, param: null, line: 1 });
  }
  return { items, errors };
}

/** Lines end at line feeds alone: JSON may hold what else ends a line elsewhere. */
async function* linesOf(content: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of content) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > longestLine) break;
  }
  yield rest + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    checkJsonShape(Buffer.from(text));
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
