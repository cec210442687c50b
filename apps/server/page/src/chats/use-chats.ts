import { useState } from "preact/hooks";
import { newConversation, type Conversation } from "./conversation.ts";
import { useKeeping } from "./use-keeping.ts";

/** All conversations of this browser, and the one that is open. */
export interface Chats {
  /** Latest first; one without messages is not among them. */
  list: readonly Conversation[];
  current: Conversation;
  /** Opens a conversation of the list, or a new one. */
  open(conversation?: Conversation): void;
  /** Adds a conversation, and opens it. */
  add(conversation: Conversation): void;
  change(id: string, change: (conversation: Conversation) => Conversation): void;
  remove(id: string): void;
}

export function useChats(): Chats {
  const [all, setAll] = useState<readonly Conversation[]>(() => [newConversation()]);
  const [openId, setOpenId] = useState(all[0]!.id);
  const current = all.find(({ id }) => id === openId) ?? all[0]!;
  const add = (conversation: Conversation): void => {
    setAll((now) => [...now.filter(({ leaf }) => leaf !== null), conversation]);
    setOpenId(conversation.id);
  };
  const remove = (id: string): void => {
    if (id === openId) add(newConversation());
    setAll((now) => now.filter((other) => other.id !== id));
  };
  useKeeping(all, setAll, remove);
  return {
    list: all.filter(({ leaf }) => leaf !== null).toSorted((a, b) => b.updated - a.updated),
    current,
    open: (conversation) => (conversation ? setOpenId(conversation.id) : add(newConversation())),
    add,
    change: (id, change) =>
      setAll((now) => now.map((other) => (other.id === id ? change(other) : other))),
    remove,
  };
}
