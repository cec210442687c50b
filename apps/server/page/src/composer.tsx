import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { BudgetSlider, type ThinkingBudget } from "./budget-slider.tsx";

interface ComposerProps {
  busy: boolean;
  /** False until the server has told which model it serves. */
  ready: boolean;
  budget: ThinkingBudget;
  onBudget: (budget: ThinkingBudget) => void;
  onSend: (text: string) => void;
  onStop: () => void;
}

/** Where questions are typed, with the thinking budget; Enter sends, Escape stops. */
export function Composer(props: ComposerProps): JSX.Element {
  const { busy, ready, budget, onBudget, onSend, onStop } = props;
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const canSend = ready && !busy && text.trim() !== "";
  useEffect(() => {
    // On a touch screen the keyboard would cover the examples.
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [busy]);
  const submit = (): void => {
    if (!canSend) return;
    onSend(text.trim());
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
      <textarea
        ref={field}
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
      <div class="row">
        <BudgetSlider budget={budget} onBudget={onBudget} />
        {busy ? (
          <button type="button" class="stop" onClick={onStop}>
            Stop
          </button>
        ) : (
          <button type="submit" disabled={!canSend}>
            Send
          </button>
        )}
      </div>
    </form>
  );
}
