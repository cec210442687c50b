import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { fileRetention, type KeptFile } from "./file-object.ts";

/** Seconds after its last piece that an upload is forgotten which never came to its end. */
const patience = 3600;

/** Uploaded files, in pieces in Redis: the one place that all servers share. */
export class FileStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /**
   * Stores a file as it comes; one that breaks off leaves nothing.
   * @param check told how many bytes there are so far; may throw, at the end too
   */
  async write(
    owner: string,
    filename: string,
    content: AsyncIterable<Buffer>,
    check: (bytes: number, isWhole: boolean) => void | Promise<void>,
  ): Promise<KeptFile> {
    const id = `file-${randomUUID().replaceAll("-", "")}`;
    const data = contentKey(id);
    let bytes = 0;
    try {
      for await (const piece of content) {
        bytes += piece.length;
        await check(bytes, false);
        // A time of its own from the first piece on: whoever writes may die.
        await this.#redis.multi().rpush(data, piece).expire(data, patience).exec();
      }
      await check(bytes, true);
      const file: KeptFile = { id, bytes, createdAt: Date.now(), filename, purpose: "batch" };
      await this.#redis
        .multi()
        .expire(data, fileRetention)
        .hset(filesKey(owner), id, JSON.stringify(file))
        .expire(filesKey(owner), fileRetention)
        .exec();
      return file;
    } catch (error) {
      await this.#redis.del(data);
      throw error;
    }
  }

  /** A file of this owner; others' are as if they were not there. */
  async get(owner: string, id: string): Promise<KeptFile | undefined> {
    const file = await this.#redis.hget(filesKey(owner), id);
    return file === null ? undefined : unexpired([file])[0];
  }

  /** The content of a file that `get` found. */
  async *read(id: string): AsyncGenerator<Buffer> {
    for (let i = 0; ; i++) {
      const piece = await this.#redis.lindexBuffer(contentKey(id), i);
      if (piece === null) return;
      yield piece;
    }
  }

  /** All files of an owner. */
  async list(owner: string): Promise<KeptFile[]> {
    const all = await this.#redis.hgetall(filesKey(owner));
    const kept = unexpired(Object.values(all));
    const ids = new Set(kept.map(({ id }) => id));
    const gone = Object.keys(all).filter((id) => !ids.has(id));
    if (gone.length > 0) await this.#redis.hdel(filesKey(owner), ...gone);
    return kept;
  }

  /** Whether the owner had such a file. */
  async delete(owner: string, id: string): Promise<boolean> {
    const deleted = await this.#redis.hdel(filesKey(owner), id);
    if (deleted > 0) await this.#redis.del(contentKey(id));
    return deleted > 0;
  }
}

function unexpired(files: readonly string[]): KeptFile[] {
  const oldest = Date.now() - fileRetention * 1000;
  return files
    .map((file) => JSON.parse(file) as KeptFile)
    .filter(({ createdAt }) => createdAt > oldest);
}

const filesKey = (owner: string): string => `levin:files:${owner}`;
const contentKey = (id: string): string => `levin:file:${id}`;
