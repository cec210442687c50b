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

/** Takes one user from a file, and the file with the last. KEYS file, users */
const removeOne = `
if redis.call("DECR", KEYS[2]) <= 0 then redis.call("DEL", KEYS[1], KEYS[2]) end`;

/**
 * What items of runs need beside themselves, each under the hash of its bytes, in Redis. Whoever has the
 * same bytes shares a file: it stays until all who put it have removed it.
 */
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
    const [file, users] = keysOf(name);
    await this.#redis
      .multi()
      .set(file, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), "EX", retention)
      .incr(users)
      .expire(users, retention)
      .exec();
    return name;
  }

  /** @throws JobFileError */
  async get(name: string): Promise<Uint8Array> {
    const [file, users] = keysOf(name);
    const bytes = await this.#redis.getexBuffer(file, "EX", retention);
    await this.#redis.expire(users, retention);
    if (bytes) return bytes;
    throw new JobFileError(`expected a file ${name} in Redis, found none`);
  }

  async remove(name: string): Promise<void> {
    await this.#redis.eval(removeOne, 2, ...keysOf(name));
  }
}

/** Of a file, and of how many use it. Files of users have keys of their own: `levin:file:…`. */
function keysOf(name: string): [file: string, users: string] {
  return [`levin:job-file:${name}`, `levin:job-file:${name}:users`];
}
