import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { withoutRunning, type Conversation } from "./conversation.ts";

interface Schema extends DBSchema {
  conversations: { key: string; value: Conversation };
}

/** Conversations kept in this browser's IndexedDB; a browser that refuses one keeps nothing. */
export class ConversationStore {
  readonly #database: Promise<IDBPDatabase<Schema> | undefined>;

  constructor() {
    this.#database = openDB<Schema>("levin", 1, {
      upgrade: (database) => void database.createObjectStore("conversations", { keyPath: "id" }),
    }).catch(() => undefined);
  }

  async all(): Promise<Conversation[]> {
    const kept = (await (await this.#database)?.getAll("conversations")) ?? [];
    return kept.map(withoutRunning);
  }

  async put(conversation: Conversation): Promise<void> {
    await (await this.#database)?.put("conversations", conversation);
  }

  async delete(id: string): Promise<void> {
    await (await this.#database)?.delete("conversations", id);
  }
}
