import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { resultOf } from "../tools/run-tools.ts";
import type { Answer, ToolCall } from "./conversation.ts";

/** Where whoever chats stands in for tools that a model called; those of the page have answered. */
export function ToolResults({
  answer,
  onResults,
}: {
  answer: Answer;
  onResults: (results: { call: ToolCall; text: string }[]) => void;
}): JSX.Element | null {
  const { toolCalls, state } = answer;
  const [typed, setTyped] = useState<Record<string, string>>({});
  const textOf = (call: ToolCall): string => typed[call.id] ?? resultOf(call) ?? "";
  if (toolCalls.length === 0 || state !== "done") return null;
  return (
    <form
      class="tool-results"
      aria-label="Results of the tools"
      onSubmit={(event) => {
        event.preventDefault();
        onResults(toolCalls.map((call) => ({ call, text: textOf(call) })));
      }}
    >
      {toolCalls.map((call) => (
        <label key={call.id}>
          <span>
            Result of <code>{call.name}</code>
          </span>
          <textarea
            rows={1}
            value={textOf(call)}
            required
            onInput={({ currentTarget }) =>
              setTyped((now) => ({ ...now, [call.id]: currentTarget.value }))
            }
          />
        </label>
      ))}
      <button type="submit" class="primary">
        Give to the model
      </button>
    </form>
  );
}
