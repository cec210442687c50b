import type { JSX } from "preact";
import type { Answer } from "./conversation.ts";
import { tokenCount } from "./figures.tsx";

/** The thought, folded, with what it has cost of its budget. */
export function Thought({
  answer: { thought, budget, cost },
  isOpenEnded,
}: {
  answer: Answer;
  /** The model may still be thinking. */
  isOpenEnded: boolean;
}): JSX.Element {
  const lastLine = thought.trimEnd().split("\n").at(-1);
  const spent = cost.thoughtTokens;
  return (
    <details class="thought">
      <summary>
        <span>{isOpenEnded ? "Thinking…" : "Thought"}</span>
        {isOpenEnded && <code class="last-line">{lastLine}</code>}
        <span class="count" data-testid="thought-tokens">
          {budget === null ? tokenCount(spent) : `${spent} of ${budget} tokens`}
        </span>
      </summary>
      {budget !== null && (
        <progress aria-label="Budget spent" max={budget} value={Math.min(spent, budget)} />
      )}
      <pre>{thought.trim()}</pre>
    </details>
  );
}
