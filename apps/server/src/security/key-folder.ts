import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ApiKeyError, createKey, storedKeySchema } from "./api-key.ts";
import type { KeyLimits, StoredKey } from "./api-key.ts";
import { writeWhole } from "./write-whole.ts";

/** Clocks of file systems may be this coarse: what changed so shortly ago may change unseen. */
const clockTick = 1000;

/**
 * API keys in a folder, a file each, so that adding and revoking need no lock. A server that runs
 * notices at once.
 */
export class KeyFolder {
  readonly directory: string;
  #keys: readonly StoredKey[] = [];
  #changed = Number.NaN;

  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * All keys, revoked ones included, the oldest first.
   * @throws ApiKeyError when a file is none of a key
   */
  list(): readonly StoredKey[] {
    const changed = statSync(this.directory, { throwIfNoEntry: false })?.mtimeMs;
    if (changed === undefined) return [];
    if (changed === this.#changed) return this.#keys;
    this.#keys = readdirSync(this.directory)
      .filter((name) => name.endsWith(".json"))
      .map((name) => readKey(join(this.directory, name)))
      .toSorted((a, b) => a.created.localeCompare(b.created));
    this.#changed = Date.now() - changed > clockTick ? changed : Number.NaN;
    return this.#keys;
  }

  /**
   * Adds a key. It is told once: only its hash is kept.
   * @throws ApiKeyError when the name is in use
   */
  add(name: string, limits: KeyLimits = {}): { key: string; stored: StoredKey } {
    const isTaken = this.list().some((key) => key.name === name && key.revoked === undefined);
    if (isTaken) throw new ApiKeyError(`there is a key "${name}" already; revoke it first`);
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const made = createKey(name, limits);
    this.#write(made.stored);
    return made;
  }

  /**
   * Ends a key, named by its id or name.
   * @throws ApiKeyError when there is none
   */
  revoke(idOrName: string): StoredKey {
    const key = this.list().find(
      ({ id, name, revoked }) => revoked === undefined && (id === idOrName || name === idOrName),
    );
    if (key === undefined) throw new ApiKeyError(`there is no valid key "${idOrName}"`);
    const ended = { ...key, revoked: new Date().toISOString() };
    this.#write(ended);
    return ended;
  }

  #write(key: StoredKey): void {
    writeWhole(join(this.directory, `${key.id}.json`), key);
    this.#changed = Number.NaN;
  }
}

function readKey(path: string): StoredKey {
  try {
    return storedKeySchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new ApiKeyError(`${path} is no API key; restore or delete it`, { cause: error });
  }
}
