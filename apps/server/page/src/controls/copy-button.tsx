import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "../layout/icon.tsx";

const shownMilliseconds = 1500;

/** Copies a text; false where the browser does not let a page do so (plain http of another machine). */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Copies a text, and says so for a moment. */
export function CopyButton({ text, label }: { text: string; label: string }): JSX.Element {
  const [outcome, setOutcome] = useState<"Copied" | "Cannot copy">();
  const copy = async (): Promise<void> => {
    setOutcome((await copyText(text)) ? "Copied" : "Cannot copy");
    setTimeout(() => setOutcome(undefined), shownMilliseconds);
  };
  const name = outcome ?? label;
  return (
    <button type="button" class="icon" title={name} aria-label={name} onClick={() => void copy()}>
      <Icon name={outcome === "Copied" ? "check" : "copy"} />
    </button>
  );
}

/** For a button in rendered HTML: copies, and changes its word for a moment. */
export async function copyAt(button: Element, text: string): Promise<void> {
  const word = button.textContent;
  button.textContent = (await copyText(text)) ? "Copied" : "Cannot copy";
  setTimeout(() => (button.textContent = word), shownMilliseconds);
}
