import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ConversationStore } from "./conversation-store.ts";
import { newConversation, type Conversation } from "./conversation.ts";

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

/** Changes while an answer streams are written together, after so many milliseconds. */
const writeDelay = 400;

export function useChats(): Chats {
  const store = useMemo(() => new ConversationStore(), []);
  const [all, setAll] = useState<readonly Conversation[]>(() => [newConversation()]);
  const [openId, setOpenId] = useState(all[0]!.id);
  const keep = useKeeping(store, all);

  useEffect(() => {
    void store.all().then((kept) => {
      kept.forEach(keep);
      setAll((now) => [...now, ...kept]);
    });
  }, [store, keep]);

  const current = all.find(({ id }) => id === openId) ?? all[0]!;
  const add = (conversation: Conversation): void => {
    setAll((now) => [...now.filter(({ leaf }) => leaf !== null), conversation]);
    setOpenId(conversation.id);
  };
  return {
    list: all.filter(({ leaf }) => leaf !== null).toSorted((a, b) => b.updated - a.updated),
    current,
    open: (conversation) => (conversation ? setOpenId(conversation.id) : add(newConversation())),
    add,
    change: (id, change) =>
      setAll((now) => now.map((other) => (other.id === id ? change(other) : other))),
    remove: (id) => {
      if (id === openId) add(newConversation());
      setAll((now) => now.filter((other) => other.id !== id));
    },
  };
}

/**
 * Writes what changed since it was last written.
 * @returns tells that a conversation is in the store already
 */
function useKeeping(
  store: ConversationStore,
  all: readonly Conversation[],
): (conversation: Conversation) => void {
  const written = useRef(new Map<string, Conversation>());
  const latest = useRef(all);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const actions = useMemo(() => {
    const write = (): void => {
      timer.current = undefined;
      const now = new Map(latest.current.map((conversation) => [conversation.id, conversation]));
      for (const conversation of now.values()) {
        if (conversation.leaf === null || written.current.get(conversation.id) === conversation) {
          continue;
        }
        written.current.set(conversation.id, conversation);
        void store.put(conversation);
      }
      for (const id of written.current.keys()) {
        if (now.has(id)) continue;
        written.current.delete(id);
        void store.delete(id);
      }
    };
    return { write, keep: (known: Conversation) => void written.current.set(known.id, known) };
  }, [store]);
  useEffect(() => {
    latest.current = all;
    timer.current ??= setTimeout(actions.write, writeDelay);
  }, [all, actions]);
  useEffect(() => {
    addEventListener("pagehide", actions.write);
    return () => removeEventListener("pagehide", actions.write);
  }, [actions]);
  return actions.keep;
}
