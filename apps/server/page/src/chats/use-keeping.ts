import { useEffect, useMemo, useRef, type StateUpdater, type Dispatch } from "preact/hooks";
import { ConversationStore } from "./conversation-store.ts";
import { withoutRunning, type Conversation } from "./conversation.ts";
import { mergeConversation } from "./merge-conversation.ts";
import { canWatchTabs, thisTab, untilClosed } from "./tabs.ts";

/** Changes while an answer streams are written together, after so many milliseconds. */
const writeDelay = 400;

/**
 * Keeps conversations in this browser, and has what other tabs change.
 * @param onGone is told of one that another tab has deleted
 */
export function useKeeping(
  all: readonly Conversation[],
  setAll: Dispatch<StateUpdater<readonly Conversation[]>>,
  onGone: (id: string) => void,
): void {
  const latest = useRef({ all, onGone });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const keeper = useMemo(
    () => new Keeper(setAll, (id) => latest.current.onGone(id)),
    [setAll, latest],
  );
  useEffect(() => {
    latest.current = { all, onGone };
    keeper.shown(all);
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      keeper.write(latest.current.all);
    }, writeDelay);
  }, [all, onGone, keeper]);
  useEffect(() => {
    void keeper.load();
    const leave = (): void => keeper.write(latest.current.all);
    addEventListener("pagehide", leave);
    return () => removeEventListener("pagehide", leave);
  }, [keeper]);
}

/** Knows what the store has, and so what is new here or there. */
class Keeper {
  readonly #store = new ConversationStore((id) => void this.#read(id));
  readonly #written = new Map<string, Conversation>();
  /** Ids that the page has or had: what was read may take a while to get there. */
  readonly #shown = new Set<string>();
  readonly #watched = new Set<string>();
  readonly #setAll: Dispatch<StateUpdater<readonly Conversation[]>>;
  readonly #onGone: (id: string) => void;

  constructor(
    setAll: Dispatch<StateUpdater<readonly Conversation[]>>,
    onGone: (id: string) => void,
  ) {
    this.#setAll = setAll;
    this.#onGone = onGone;
  }

  async load(): Promise<void> {
    const stored = await this.#store.all();
    const kept = canWatchTabs ? stored : stored.map((one) => withoutRunning(one));
    for (const conversation of kept) {
      this.#written.set(conversation.id, conversation);
      this.#watchTabs(conversation);
    }
    const loaded = new Set(kept.map(({ id }) => id));
    this.#setAll((now) => [...now.filter(({ id }) => !loaded.has(id)), ...kept]);
  }

  /** What the page has by now; what it then has no more is to be deleted. */
  shown(all: readonly Conversation[]): void {
    for (const { id } of all) this.#shown.add(id);
  }

  /** Writes what changed since it was last written. */
  write(all: readonly Conversation[]): void {
    for (const conversation of all) {
      const { id, leaf } = conversation;
      const before = this.#written.get(id);
      if (leaf === null || before === conversation) continue;
      this.#written.set(id, conversation);
      this.#store.put(conversation, before).catch(() => this.#written.delete(id));
    }
    const ids = new Set(all.map(({ id }) => id));
    for (const id of this.#shown) {
      if (ids.has(id)) continue;
      this.#shown.delete(id);
      if (this.#written.delete(id)) void this.#store.delete(id);
    }
  }

  /** Has what another tab wrote. */
  async #read(id: string): Promise<void> {
    const before = this.#written.get(id);
    const stored = await this.#store.get(id);
    if (!stored) {
      this.#written.delete(id);
      this.#onGone(id);
      return;
    }
    this.#written.set(id, stored);
    this.#watchTabs(stored);
    this.#setAll((now) => {
      const own = now.find((conversation) => conversation.id === id);
      if (!own) return [...now, stored];
      const merged = mergeConversation(own, stored, before);
      // Without news of its own this tab has nothing to write, or they would never come to rest.
      if (own === before) this.#written.set(id, merged);
      return now.map((conversation) => (conversation === own ? merged : conversation));
    });
  }

  /** Answers of a tab that is gone are not said any further. */
  #watchTabs({ messages }: Conversation): void {
    for (const message of messages) {
      if (message.role !== "assistant" || message.state !== "streaming") continue;
      const { tab } = message;
      if (tab === thisTab || this.#watched.has(tab)) continue;
      this.#watched.add(tab);
      void untilClosed(tab).then(() =>
        this.#setAll((now) => now.map((conversation) => withoutRunning(conversation, tab))),
      );
    }
  }
}
