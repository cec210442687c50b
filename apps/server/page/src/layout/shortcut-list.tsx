import type { JSX, RefObject } from "preact";
import { shortcuts } from "../controls/shortcuts.ts";

/** The keys of the page; Escape closes it. */
export function ShortcutList({
  dialog,
}: {
  dialog: RefObject<HTMLDialogElement | null>;
}): JSX.Element {
  return (
    <dialog ref={dialog} class="panel" aria-labelledby="shortcuts-title">
      <h2 id="shortcuts-title">Keyboard</h2>
      <dl>
        {shortcuts.map(({ name, keys, words }) => (
          <div key={name}>
            <dt>{words}</dt>
            <dd>
              <kbd>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit" class="plain">
          Close
        </button>
      </form>
    </dialog>
  );
}
