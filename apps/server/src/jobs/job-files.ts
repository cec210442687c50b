import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/** A file that nobody has asked for in so many seconds is forgotten. */
const retention = 24 * 3600;

/** A value of Redis ends at 512 MiB. */
const maxBytes = 2 ** 29;

/** Raised when a file is too large for Redis, or no longer there. */
export class JobFileError extends Error {
  override readonly name = "JobFileError";
}

/** What items of runs need beside themselves, each under the hash of its bytes, in Redis. */
export class JobFiles {
  readonly #redis: Redis;

  /** @param redis stays its owner's */
  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /**
   * @returns the name by which workers find it
   * @throws JobFileError
   */
  async put(bytes: Uint8Array): Promise<string> {
    if (bytes.length > maxBytes) {
      throw new JobFileError(
        `expected at most ${maxBytes} bytes, which Redis takes, found ${bytes.length}`,
      );
    }
    const name = createHash("sha256").update(bytes).digest("hex");
    await this.#redis.set(
      keyOf(name),
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      "EX",
      retention,
    );
    return name;
  }

  /** @throws JobFileError */
  async get(name: string): Promise<Uint8Array> {
    const bytes = await this.#redis.getexBuffer(keyOf(name), "EX", retention);
    if (bytes) return bytes;
    throw new JobFileError(`expected a file ${name} in Redis, found none`);
  }

  async remove(name: string): Promise<void> {
    await this.#redis.del(keyOf(name));
  }
}

function keyOf(name: string): string {
  return `levin:file:${name}`;
}
