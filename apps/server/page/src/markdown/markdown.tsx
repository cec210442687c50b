import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { copyAt } from "../controls/copy-button.tsx";
import { hasCode, mayHaveMath, renderMarkdown, type Extras } from "./render-markdown.ts";

/** Loaded once for all texts. */
const loaded: Extras = {};

/** A text in Markdown, with code, formulas and buttons that copy code. */
export function Markdown({ text }: { text: string }): JSX.Element {
  const extras = useExtras(text);
  const html = useMemo(() => renderMarkdown(text, extras), [text, extras]);
  return (
    // Only its copy buttons take clicks, and keyboards reach those by themselves.
    <div
      class="markdown"
      onClick={({ target }) => {
        const button = (target as Element).closest("button.copy");
        if (!button) return;
        void copyAt(button, button.closest(".code")?.querySelector("pre")?.textContent ?? "");
      }}
      dangerouslySetInnerHTML={{ __html: html }}
    />
  );
}

function useExtras(text: string): Extras {
  const [extras, setExtras] = useState<Extras>(() => ({ ...loaded }));
  const needsMath = !loaded.math && mayHaveMath(text);
  const needsCode = !loaded.highlight && hasCode(text);
  useEffect(() => {
    if (!needsMath && !needsCode) return;
    void Promise.all([
      needsMath && import("./math.ts").then(({ math }) => (loaded.math = math)),
      needsCode && import("./highlight.ts").then(({ highlight }) => (loaded.highlight = highlight)),
    ])
      // Without them the text is still readable.
      .catch(() => undefined)
      .then(() => setExtras({ ...loaded }));
  }, [needsMath, needsCode]);
  return extras;
}
