import type { JSX } from "preact";
import { Icon } from "../layout/icon.tsx";
import type { ToolCall } from "./conversation.ts";

/** A call of a tool with its result, folded; open while there is none. */
export function ToolCallView({
  call,
  result,
}: {
  call: ToolCall;
  result: string | undefined;
}): JSX.Element {
  return (
    <details class="tool-call" data-testid="tool-call" open={result === undefined}>
      <summary>
        <Icon name="tool" />
        <code>{call.name}</code>
        {result !== undefined && <span class="last-line">{result}</span>}
      </summary>
      <span class="kind">Arguments</span>
      <pre tabIndex={0}>{indented(call.arguments)}</pre>
      {result !== undefined && (
        <>
          <span class="kind">Result</span>
          <pre tabIndex={0}>{result}</pre>
        </>
      )}
    </details>
  );
}

/** JSON set out in lines; what is not complete yet as it is. */
function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
