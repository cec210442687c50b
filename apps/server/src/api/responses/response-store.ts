import type { ChatMessage } from "@levin/tokenizer";
import { ApiError } from "../api-error.ts";

/** A response, and the conversation up to its end. */
export interface StoredResponse {
  /** Whose it is; others don't find it. */
  owner: string;
  response: { id: string };
  messages: readonly ChatMessage[];
}

/** Characters of all conversations that are kept. */
const defaultCapacity = 32 * 2 ** 20;

/** Responses from which others may go on, in memory; the oldest go when there are too many. */
export class ResponseStore {
  readonly #capacity: number;
  readonly #kept = new Map<string, { stored: StoredResponse; size: number }>();
  #size = 0;

  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  /** Keeps a response, unless it alone is too large. */
  keep(stored: StoredResponse): void {
    const size = JSON.stringify(stored).length;
    if (size > this.#capacity) return;
    this.#kept.set(stored.response.id, { stored, size });
    this.#size += size;
    for (const id of this.#kept.keys()) {
      if (this.#size <= this.#capacity) break;
      this.delete(id);
    }
  }

  /** @throws ApiError (404) when the owner has none of this id, or no longer */
  find(owner: string, id: string, param: string | null = null): StoredResponse {
    const found = this.#kept.get(id);
    if (found?.stored.owner === owner) return found.stored;
    throw new ApiError(404, `no response "${id}" is kept here; send the whole conversation`, {
      param,
      code: "response_not_found",
    });
  }

  delete(id: string): void {
    this.#size -= this.#kept.get(id)?.size ?? 0;
    this.#kept.delete(id);
  }
}
