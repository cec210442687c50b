import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { focused } from "../layout/focused.ts";
import { IconButton } from "../layout/icon-button.tsx";
import { isRunning, type Conversation } from "./conversation.ts";

interface ChatItemProps {
  conversation: Conversation;
  isCurrent: boolean;
  onOpen: () => void;
  onRename: (title: string) => void;
  onDelete: () => void;
}

/** A line of the list: opens its conversation, renames it in place, deletes it after a second look. */
export function ChatItem(props: ChatItemProps): JSX.Element {
  const { conversation, isCurrent, onOpen, onRename, onDelete } = props;
  const [mode, setMode] = useState<"shown" | "renaming" | "deleting">("shown");
  const show = (): void => setMode("shown");
  if (mode === "renaming") {
    return <RenameItem title={conversation.title} onRename={onRename} onDone={show} />;
  }
  if (mode === "deleting") {
    return (
      <li class="chat-item deleting" onKeyDown={({ key }) => key === "Escape" && show()}>
        <span>Delete for good?</span>
        <button type="button" class="danger" ref={focused} onClick={onDelete}>
          Delete
        </button>
        <button type="button" class="plain" onClick={show}>
          Keep
        </button>
      </li>
    );
  }
  const { title } = conversation;
  return (
    <li class={isCurrent ? "chat-item current" : "chat-item"}>
      <button
        type="button"
        class="title"
        aria-current={isCurrent ? "true" : undefined}
        onClick={onOpen}
      >
        {title}
        {isRunning(conversation) && <span class="running"> …</span>}
      </button>
      <IconButton icon="edit" label={`Rename “${title}”`} onClick={() => setMode("renaming")} />
      <IconButton icon="trash" label={`Delete “${title}”`} onClick={() => setMode("deleting")} />
    </li>
  );
}

function RenameItem({
  title,
  onRename,
  onDone,
}: {
  title: string;
  onRename: (title: string) => void;
  onDone: () => void;
}): JSX.Element {
  const finish = (value: string): void => {
    if (value.trim() !== "") onRename(value.trim());
    onDone();
  };
  return (
    <li class="chat-item">
      <input
        ref={focused}
        aria-label="Name of the conversation"
        defaultValue={title}
        onBlur={({ currentTarget }) => finish(currentTarget.value)}
        onKeyDown={({ key, currentTarget }) => {
          if (key === "Enter") finish(currentTarget.value);
          if (key === "Escape") onDone();
        }}
      />
    </li>
  );
}
