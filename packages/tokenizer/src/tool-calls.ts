import { TokenizerError } from "./tokenizer-file.ts";

/** One function call in an answer. */
export interface ToolCall {
  name: string;
  arguments: Record<string, unknown>;
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
