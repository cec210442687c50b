import type { JSX } from "preact";
import { IconButton } from "../layout/icon-button.tsx";
import type { Message } from "./conversation.ts";

/** Leafs through the versions of a message, when there is more than one. */
export function VersionSwitch({
  versions,
  shown,
  onShow,
}: {
  versions: readonly Message[];
  shown: Message;
  onShow: (version: Message) => void;
}): JSX.Element | null {
  if (versions.length < 2) return null;
  const index = versions.findIndex(({ id }) => id === shown.id);
  const before = versions[index - 1];
  const after = versions[index + 1];
  return (
    <span class="versions" role="group" aria-label="Versions">
      <IconButton
        icon="left"
        label="Earlier version"
        disabled={!before}
        onClick={() => before && onShow(before)}
      />
      <span>
        {index + 1}/{versions.length}
      </span>
      <IconButton
        icon="right"
        label="Later version"
        disabled={!after}
        onClick={() => after && onShow(after)}
      />
    </span>
  );
}
