import { TokenizerError } from "./tokenizer-file.ts";

/** One function call in an answer. */
export interface ToolCall {
  name: string;
  arguments: Record<string, unknown>;
}

/** A call in a message of OpenAI's form: arguments as JSON text. */
export interface MessageToolCall {
  id?: string | undefined;
  function: { name: string; arguments: string };
}

/**
 * Calls as M1 writes them; arguments stand as they were given, so that what a model wrote is found
 * again token by token.
 *
 * @throws TokenizerError when arguments are no JSON
 */
export function toolCallsText(calls: readonly MessageToolCall[]): string {
  return toolCallPieces(calls)
    .map((piece) => (typeof piece === "string" ? piece : piece.mark))
    .join("");
}

/** The same in pieces, of which the marks may be tokens of their own. */
export function toolCallPieces(calls: readonly MessageToolCall[]): (string | { mark: string })[] {
  const lines = calls.map(({ function: { name, arguments: json } }) => {
    checkJson(json);
    return `{"name": ${JSON.stringify(name)}, "arguments": ${json}}`;
  });
  return [{ mark: "<tool_calls>" }, `\n${lines.join("\n")}\n`, { mark: "</tool_calls>" }];
}

/**
 * The function whose result a `tool` message brings: its name, or that of the call it answers.
 * @throws TokenizerError when neither is known
 */
export function toolResultName(
  message: { name?: string | undefined; tool_call_id?: string | undefined },
  messages: readonly { tool_calls?: readonly MessageToolCall[] | null | undefined }[],
): string {
  const { name, tool_call_id: id } = message;
  const calls = messages.flatMap(({ tool_calls: made }) => made ?? []);
  const found =
    name ?? calls.find((call) => call.id !== undefined && call.id === id)?.function.name;
  if (found !== undefined) return found;
  throw new TokenizerError(
    `conversation: expected a name or the tool_call_id of an earlier call, found ${id ?? "neither"}`,
  );
}

function checkJson(json: string): void {
  try {
    JSON.parse(json);
  } catch (error) {
    throw new TokenizerError(`tool call: expected arguments in JSON, found ${json}`, {
      cause: error,
    });
  }
}

const block = /<tool_calls>([\s\S]*?)<\/tool_calls>/g;

/**
 * The calls in an answer: one JSON object a line between `<tool_calls>` and `</tool_calls>` (M1's
 * function-call guide), and the text around them.
 *
 * @throws TokenizerError when a line is no call
 */
export function parseToolCalls(answer: string): { calls: ToolCall[]; content: string } {
  const calls = [...answer.matchAll(block)].flatMap(([, inner]) =>
    inner!
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .map(parseCall),
  );
  return { calls, content: answer.replace(block, "").trim() };
}

function parseCall(line: string): ToolCall {
  let call: unknown;
  try {
    call = JSON.parse(line);
  } catch (error) {
    throw new TokenizerError(`tool call: expected JSON, found ${line}`, { cause: error });
  }
  const { name, arguments: args = {} } = (call ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || typeof args !== "object" || args === null) {
    throw new TokenizerError(`tool call: expected name and arguments, found ${line}`);
  }
  return { name, arguments: args as Record<string, unknown> };
}
