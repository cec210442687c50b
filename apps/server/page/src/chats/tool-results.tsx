import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Answer, ToolCall } from "./conversation.ts";

/** Where whoever chats stands in for the tools that a model called. */
export function ToolResults({
  answer,
  onResults,
}: {
  answer: Answer;
  onResults: (results: { call: ToolCall; text: string }[]) => void;
}): JSX.Element | null {
  const { toolCalls, state } = answer;
  const [texts, setTexts] = useState<Record<string, string>>({});
  if (toolCalls.length === 0 || state !== "done") return null;
  return (
    <form
      class="tool-results"
      aria-label="Results of the tools"
      onSubmit={(event) => {
        event.preventDefault();
        onResults(toolCalls.map((call) => ({ call, text: texts[call.id] ?? "" })));
      }}
    >
      {toolCalls.map(({ id, name }) => (
        <label key={id}>
          Result of <code>{name}</code>
          <input
            value={texts[id] ?? ""}
            required
            onInput={({ currentTarget: { value } }) => setTexts((now) => ({ ...now, [id]: value }))}
          />
        </label>
      ))}
      <button type="submit" class="primary">
        Give to the model
      </button>
    </form>
  );
}
