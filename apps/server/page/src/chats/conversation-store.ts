import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Conversation, Message } from "./conversation.ts";

/** A conversation without its messages. */
type Head = Omit<Conversation, "messages">;

/** A message on its own, so that tabs that write to one conversation don't undo each other's. */
interface MessageRecord {
  conversation: string;
  id: string;
  /** Its place among the messages as they were made. */
  order: number;
  message: Message;
}

interface Schema extends DBSchema {
  conversations: { key: string; value: Head };
  messages: { key: [string, string]; value: MessageRecord };
}

const stores = ["conversations", "messages"] as const;

/** Conversations kept in this browser's IndexedDB; a browser that refuses one keeps nothing. */
export class ConversationStore {
  readonly #database: Promise<IDBPDatabase<Schema> | undefined>;
  readonly #tabs = new BroadcastChannel("levin-conversations");

  /** @param onChange is told the id of a conversation that another tab has written or deleted */
  constructor(onChange: (id: string) => void) {
    this.#tabs.addEventListener("message", ({ data }: MessageEvent<string>) => onChange(data));
    this.#database = openDB<Schema>("levin-chats", 1, {
      upgrade(database) {
        database.createObjectStore("conversations", { keyPath: "id" });
        database.createObjectStore("messages", { keyPath: ["conversation", "id"] });
      },
    }).catch(() => undefined);
  }

  async all(): Promise<Conversation[]> {
    const transaction = (await this.#database)?.transaction(stores);
    if (!transaction) return [];
    const [heads, records] = await Promise.all([
      transaction.objectStore("conversations").getAll(),
      transaction.objectStore("messages").getAll(),
    ]);
    const byConversation = Map.groupBy(records, ({ conversation }) => conversation);
    return heads.map((head) => toConversation(head, byConversation.get(head.id) ?? []));
  }

  async get(id: string): Promise<Conversation | undefined> {
    const transaction = (await this.#database)?.transaction(stores);
    const [head, records = []] = await Promise.all([
      transaction?.objectStore("conversations").get(id),
      transaction?.objectStore("messages").getAll(messagesOf(id)),
    ]);
    return head && toConversation(head, records);
  }

  /**
   * Writes what is new since a conversation was written.
   * @param before as it was then; undefined if it never was
   */
  async put(conversation: Conversation, before: Conversation | undefined): Promise<void> {
    const { id, messages, ...head } = conversation;
    const known = new Set(before?.messages);
    const transaction = (await this.#database)?.transaction(stores, "readwrite");
    if (!transaction) return;
    void transaction.objectStore("conversations").put({ id, ...head });
    const written = transaction.objectStore("messages");
    for (const [order, message] of messages.entries()) {
      if (known.has(message)) continue;
      void written.put({ conversation: id, id: message.id, order, message });
    }
    await transaction.done;
    this.#tell(id);
  }

  async delete(id: string): Promise<void> {
    const transaction = (await this.#database)?.transaction(stores, "readwrite");
    if (!transaction) return;
    void transaction.objectStore("conversations").delete(id);
    void transaction.objectStore("messages").delete(messagesOf(id));
    await transaction.done;
    this.#tell(id);
  }

  #tell(id: string): void {
    // A channel reaches this origin alone.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    this.#tabs.postMessage(id);
  }
}

/** Keys of all messages of a conversation: an array comes after every text. */
function messagesOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}

function toConversation(head: Head, records: readonly MessageRecord[]): Conversation {
  const messages = records
    .toSorted((one, other) => one.order - other.order || (one.id < other.id ? -1 : 1))
    .map(({ message }) => message);
  return { ...head, messages };
}
