import { ApiError } from "../api/api-error.ts";
import { pageAfter, type Page } from "../api/page-after.ts";
import { checkFileRoom, type FileLimits, type FileUse } from "./file-limits.ts";
import { fileObject, type FileObject } from "./file-object.ts";
import type { FileStore } from "./file-store.ts";
import type { OutputFiles } from "./output-files.ts";

/** Which files of a list. */
export interface FilePageRequest {
  limit: number;
  order: "asc" | "desc";
  after?: string | undefined;
  purpose?: string | undefined;
}

/** The files of each API key: uploaded ones, and those that its batches wrote; whose they are not don't find them. */
export class Files {
  readonly #uploads: FileStore;
  readonly #outputs: OutputFiles;
  readonly #limits: FileLimits;
  /** Bytes of each owner that are on their way into this server. */
  readonly #arriving = new Map<string, number>();

  constructor(uploads: FileStore, outputs: OutputFiles, limits: FileLimits) {
    this.#uploads = uploads;
    this.#outputs = outputs;
    this.#limits = limits;
  }

  /**
   * Stores a file as it comes; of one that is refused or breaks off nothing is kept.
   * @throws ApiError (403) when the owner has no room for it
   */
  async upload(
    owner: string,
    filename: string,
    content: AsyncIterable<Buffer>,
  ): Promise<FileObject> {
    const before = await this.#use(owner);
    checkFileRoom(before, 0, this.#limits);
    let arrived = 0;
    const arrive = (bytes: number): void => {
      arrived += bytes;
      const all = (this.#arriving.get(owner) ?? 0) + bytes;
      if (all === 0) this.#arriving.delete(owner);
      else this.#arriving.set(owner, all);
    };
    try {
      const check = async (bytes: number, isWhole: boolean): Promise<void> => {
        arrive(bytes - arrived);
        if (!isWhole) checkFileRoom(before, this.#arriving.get(owner) ?? 0, this.#limits);
        // Others may have come to their end meanwhile.
        else checkFileRoom(await this.#use(owner), bytes, this.#limits);
      };
      return fileObject(await this.#uploads.write(owner, filename, content, check));
    } finally {
      arrive(-arrived);
    }
  }

  /** @throws ApiError (403) when an owner has no room for a batch whose requests have so many bytes */
  async checkBatch(owner: string, bytes: number): Promise<void> {
    checkFileRoom(await this.#use(owner), bytes, this.#limits);
  }

  /**
   * @param param of a request that names it
   * @throws ApiError (404)
   */
  async get(owner: string, id: string, param: string | null = null): Promise<FileObject> {
    const found = (await this.#uploads.get(owner, id)) ?? (await this.#outputs.get(owner, id));
    if (found) return fileObject(found);
    throw unknownFile(id, param);
  }

  /** @throws ApiError (404) */
  async content(owner: string, id: string): Promise<AsyncIterable<Buffer>> {
    if (await this.#uploads.get(owner, id)) return this.#uploads.read(id);
    const lines = await this.#outputs.content(owner, id);
    if (lines) return lines;
    throw unknownFile(id);
  }

  /** @throws ApiError (400) when `after` is none of them */
  async list(
    owner: string,
    { order, purpose, ...page }: FilePageRequest,
  ): Promise<Page<FileObject>> {
    const all = [...(await this.#uploads.list(owner)), ...(await this.#outputs.list(owner))]
      .filter((file) => purpose === undefined || file.purpose === purpose)
      .toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    const ordered = order === "asc" ? all : all.toReversed();
    return pageAfter(ordered.map(fileObject), page, "a file");
  }

  /** @throws ApiError (404) */
  async delete(owner: string, id: string): Promise<void> {
    if (await this.#uploads.delete(owner, id)) return;
    if (await this.#outputs.delete(owner, id)) return;
    throw unknownFile(id);
  }

  async #use(owner: string): Promise<FileUse> {
    const uploads = await this.#uploads.list(owner);
    const { files, bytes } = await this.#outputs.use(owner);
    return {
      files: uploads.length + files,
      bytes: uploads.reduce((sum, file) => sum + file.bytes, bytes),
    };
  }
}

function unknownFile(id: string, param: string | null = null): ApiError {
  return new ApiError(404, `no file has the id "${id}"`, { param, code: "file_not_found" });
}
