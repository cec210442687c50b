import type { JSX, RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { IconButton } from "../layout/icon-button.tsx";
import { BudgetSlider } from "./budget-slider.tsx";

interface ComposerProps {
  field: RefObject<HTMLTextAreaElement | null>;
  busy: boolean;
  /** False until there is a model to ask. */
  ready: boolean;
  budget: number | null;
  onBudget: (budget: number | null) => void;
  onSend: (text: string) => void;
  onStop: () => void;
}

/** Where questions are typed, with the thinking budget; Enter sends, Escape stops. */
export function Composer(props: ComposerProps): JSX.Element {
  const { field, busy, ready, budget, onBudget, onSend, onStop } = props;
  const [text, setText] = useState("");
  const canSend = ready && !busy && text.trim() !== "";
  useEffect(() => {
    // On a touch screen the keyboard would cover the examples.
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [busy, field]);
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
          <IconButton icon="stop" label="Stop" class="round stop" onClick={onStop} />
        ) : (
          <IconButton icon="send" label="Send" class="round" type="submit" disabled={!canSend} />
        )}
      </div>
    </form>
  );
}
