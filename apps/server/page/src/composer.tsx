import type { JSX } from "preact";
import { useState } from "preact/hooks";

/** Slider positions in tokens; the last one is no limit. */
const budgets = [0, 16, 32, 64, 128, 256, 512, undefined] as const;

interface ComposerProps {
  busy: boolean;
  /** False until the server has told which model it serves. */
  ready: boolean;
  onSend: (text: string, thinkingBudget: number | undefined) => void;
  onStop: () => void;
}

/** Where questions are typed, with the thinking budget; Enter sends, Escape stops. */
export function Composer({ busy, ready, onSend, onStop }: ComposerProps): JSX.Element {
  const [text, setText] = useState("");
  const [position, setPosition] = useState(budgets.length - 1);
  const budget = budgets[position];
  const submit = (): void => {
    if (busy || !ready || text.trim() === "") return;
    onSend(text.trim(), budget);
    setText("");
  };
  return (
    <form
      class="composer"
      aria-label="Ask the model"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape" && busy) onStop();
      }}
    >
      <label class="budget">
        <span>
          Thinking budget <output>{budget === undefined ? "unlimited" : `${budget} tokens`}</output>
        </span>
        <input
          type="range"
          min={0}
          max={budgets.length - 1}
          value={position}
          aria-valuetext={budget === undefined ? "unlimited" : `${budget} tokens`}
          onInput={(event) => setPosition(event.currentTarget.valueAsNumber)}
        />
      </label>
      <div class="row">
        <textarea
          aria-label="Your question"
          placeholder="Ask something…"
          rows={1}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            submit();
          }}
        />
        {busy ? (
          <button type="button" class="stop" onClick={onStop}>
            Stop
          </button>
        ) : (
          <button type="submit" disabled={!ready || text.trim() === ""}>
            Send
          </button>
        )}
      </div>
    </form>
  );
}
