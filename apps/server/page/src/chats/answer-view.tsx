import type { ComponentChildren, JSX } from "preact";
import { Bolt } from "../layout/bolt.tsx";
import { Markdown } from "../markdown/markdown.tsx";
import type { Answer, ToolCall } from "./conversation.ts";
import { Figures } from "./figures.tsx";
import { Reading } from "./reading.tsx";
import { Thought } from "./thought.tsx";

interface AnswerViewProps {
  answer: Answer;
  /** Bytes of the state after so many tokens, where the model tells. */
  stateBytes: (tokens: number) => number | undefined;
  children?: ComponentChildren;
}

/** An answer with its folded thought, its tool calls and its figures; actions are its children. */
export function AnswerView({ answer, stateBytes, children }: AnswerViewProps): JSX.Element {
  const { state, text, thought, toolCalls } = answer;
  const isWaiting = state === "streaming" && text === "" && toolCalls.length === 0;
  return (
    <article class="message answer" aria-label={answer.label ?? "Answer"}>
      <span class={isWaiting ? "logo avatar busy" : "logo avatar"}>
        <Bolt />
      </span>
      <div class="body">
        {answer.label !== undefined && <h2 class="label">{answer.label}</h2>}
        {thought.trim() !== "" && <Thought answer={answer} isOpenEnded={isWaiting} />}
        {isWaiting && thought.trim() === "" && <Reading answer={answer} />}
        {text !== "" && (
          <div class="text" data-testid="answer">
            <Markdown text={text} />
          </div>
        )}
        {toolCalls.map((call) => (
          <ToolCallView key={call.id} call={call} />
        ))}
        {answer.error !== undefined && (
          <p class="error" role="alert">
            {answer.error}
          </p>
        )}
        {state === "stopped" && <p class="note">Stopped.</p>}
        {answer.cost.tokens > 0 && <Figures answer={answer} stateBytes={stateBytes} />}
        {state !== "streaming" && children}
      </div>
    </article>
  );
}

function ToolCallView({ call }: { call: ToolCall }): JSX.Element {
  return (
    <div class="tool-call" data-testid="tool-call">
      <span class="kind">Calls a tool</span>
      <code>{call.name}</code>
      <pre tabIndex={0}>{indented(call.arguments)}</pre>
    </div>
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
