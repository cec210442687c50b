import type { JSX } from "preact";
import { Icon } from "../layout/icon.tsx";

/** Chooses files; dropping them on the page does the same. */
export function AttachButton({ onFiles }: { onFiles: (files: File[]) => void }): JSX.Element {
  return (
    <label class="icon attach" title="Attach text files">
      <Icon name="attach" />
      <input
        type="file"
        multiple
        aria-label="Attach text files"
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = "";
        }}
      />
    </label>
  );
}
