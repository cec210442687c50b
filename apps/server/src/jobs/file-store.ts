import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { z } from "zod";

/** A file as OpenAI's API describes it. */
export const fileSchema = z
  .object({
    id: z.string(),
    object: z.literal("file"),
    bytes: z.int().min(0),
    created_at: z.int(),
    filename: z.string(),
    purpose: z.enum(["batch", "batch_output"]),
    status: z.literal("processed"),
  })
  .meta({ id: "File" });

export type FileObject = z.output<typeof fileSchema>;

const prefix = "levin:file";
const idForm = /^file-[0-9a-f]{32}$/;
/** Files are kept for so many seconds. */
const retention = 30 * 24 * 3600;

/** Uploaded files, in pieces in Redis: the one place that all servers share. */
export class FileStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Stores a file as it comes; one that breaks off leaves nothing. */
  async write(
    owner: string,
    filename: string,
    content: AsyncIterable<Buffer>,
  ): Promise<FileObject> {
    const id = `file-${randomUUID().replaceAll("-", "")}`;
    const data = `${prefix}:${id}:data`;
    let bytes = 0;
    try {
      for await (const piece of content) {
        bytes += piece.length;
        // A time of its own from the first piece on: whoever writes may die.
        await this.#redis.multi().rpush(data, piece).expire(data, retention).exec();
      }
    } catch (error) {
      await this.#redis.del(data);
      throw error;
    }
    const created_at = Math.floor(Date.now() / 1000);
    const file = { bytes, created_at, filename };
    await this.#redis
      .multi()
      .set(`${prefix}:${id}`, JSON.stringify({ ...file, owner }), "EX", retention)
      .zadd(`${prefix}s`, Date.now(), id)
      .exec();
    return fileObject({ id, ...file, purpose: "batch" });
  }

  /** A file of this owner; others' are as if they were not there. */
  async get(owner: string, id: string): Promise<FileObject | undefined> {
    // Other keys begin alike: those of contents, and of what workers are handed.
    const file = idForm.test(id) ? await this.#redis.get(`${prefix}:${id}`) : null;
    if (file === null) return undefined;
    const { owner: whose = "", ...known } = JSON.parse(file) as FileObject & { owner?: string };
    if (whose !== owner) return undefined;
    const { bytes, created_at, filename } = known;
    return fileObject({ id, bytes, created_at, filename, purpose: "batch" });
  }

  /** The content of a file that `get` found. */
  async *read(id: string): AsyncGenerator<Buffer> {
    for (let i = 0; ; i++) {
      const piece = await this.#redis.lindexBuffer(`${prefix}:${id}:data`, i);
      if (piece === null) return;
      yield piece;
    }
  }

  /** All files of an owner, the newest first. */
  async list(owner: string): Promise<FileObject[]> {
    await this.#redis.zremrangebyscore(`${prefix}s`, 0, Date.now() - retention * 1000);
    const ids = await this.#redis.zrange(`${prefix}s`, 0, -1, "REV");
    const files = await Promise.all(ids.map((id) => this.get(owner, id)));
    return files.filter((file) => file !== undefined);
  }

  /** Whether the owner had such a file. */
  async delete(owner: string, id: string): Promise<boolean> {
    if (!(await this.get(owner, id))) return false;
    await this.#redis.zrem(`${prefix}s`, id);
    return (await this.#redis.del(`${prefix}:${id}`, `${prefix}:${id}:data`)) > 0;
  }
}

export function fileObject(file: Omit<FileObject, "object" | "status">): FileObject {
  return { ...file, object: "file", status: "processed" };
}
