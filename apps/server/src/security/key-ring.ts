import { findKey, type StoredKey } from "./api-key.ts";
import type { KeyFolder } from "./key-folder.ts";

/** The keys that open a server. */
export class KeyRing {
  readonly #folder: KeyFolder | undefined;
  readonly #given: readonly StoredKey[];
  #wasLocked = false;

  /**
   * @param folder keys that may come and go while the server runs
   * @param given keys for as long as it runs
   */
  constructor(folder: KeyFolder | undefined, given: readonly StoredKey[] = []) {
    this.#folder = folder;
    this.#given = given;
  }

  /** Whether a key is needed. A server that once had keys stays locked when all are revoked. */
  get isLocked(): boolean {
    return (this.#wasLocked ||= this.#valid().length > 0);
  }

  find(shown: string): StoredKey | undefined {
    return findKey(shown, this.#valid());
  }

  /** Revoked ones included. */
  get all(): readonly StoredKey[] {
    return [...(this.#folder?.list() ?? []), ...this.#given];
  }

  #valid(): readonly StoredKey[] {
    return this.all.filter((key) => key.revoked === undefined);
  }
}
