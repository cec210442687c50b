import type { JSX, RefObject } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "../layout/icon.tsx";
import { ChatItem } from "./chat-item.tsx";
import { matches } from "./conversation.ts";
import type { Chats } from "./use-chats.ts";

interface SidebarProps {
  chats: Chats;
  isOpen: boolean;
  searchField: RefObject<HTMLInputElement | null>;
  /** A conversation was chosen. */
  onPicked: () => void;
  /** On small screens, where it covers the page. */
  onClose: () => void;
}

/** The list of conversations, with its search. */
export function Sidebar(props: SidebarProps): JSX.Element {
  const { chats, isOpen, searchField, onPicked, onClose } = props;
  const [search, setSearch] = useState("");
  const found = chats.list.filter((conversation) => matches(conversation, search.trim()));
  return (
    <>
      <nav id="chats" class={isOpen ? "sidebar open" : "sidebar"} aria-label="Conversations">
        <button
          type="button"
          class="new-chat"
          onClick={() => {
            chats.open();
            onPicked();
          }}
        >
          <Icon name="plus" />
          New chat
        </button>
        <label class="search">
          <Icon name="search" />
          <input
            ref={searchField}
            type="search"
            placeholder="Search"
            aria-label="Search conversations"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
        <ul>
          {found.map((conversation) => (
            <ChatItem
              key={conversation.id}
              conversation={conversation}
              isCurrent={conversation.id === chats.current.id}
              onOpen={() => {
                chats.open(conversation);
                onPicked();
              }}
              onRename={(title) => chats.change(conversation.id, (now) => ({ ...now, title }))}
              onDelete={() => chats.remove(conversation.id)}
            />
          ))}
        </ul>
        <p class="hint" role="status">
          {found.length === 0 &&
            (search.trim() === "" ? "Conversations stay in this browser." : "Nothing found.")}
        </p>
      </nav>
      <button
        type="button"
        class="shade"
        aria-label="Close the list of conversations"
        onClick={onClose}
      />
    </>
  );
}
