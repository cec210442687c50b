import { ApiError } from "../api/api-error.ts";

/** How many files an API key may have, and how large: uploaded ones, and those that its batches write. */
export interface FileLimits {
  /** Files of one API key; without keys, of all. Default 10,000. */
  perKey: number;
  /** Their bytes, and those of requests in batches that are not over; default 1 GiB. A batch that began is finished. */
  bytesPerKey: number;
}

export const defaultFileLimits: FileLimits = { perKey: 10_000, bytesPerKey: 2 ** 30 };

/** What a key has. */
export interface FileUse {
  files: number;
  bytes: number;
}

/** @throws ApiError (403) when there is no room for another file with at least so many bytes */
export function checkFileRoom(use: FileUse, coming: number, limits: FileLimits): void {
  if (use.files >= limits.perKey) {
    throw noRoom(
      `you have ${use.files} files, of ${limits.perKey} that are allowed`,
      "file_limit_exceeded",
    );
  }
  if (use.bytes + coming > limits.bytesPerKey) {
    throw noRoom(
      `your files and batches would have ${use.bytes + coming} bytes, of ${limits.bytesPerKey} that are allowed`,
      "file_bytes_exceeded",
    );
  }
}

function noRoom(found: string, code: string): ApiError {
  return new ApiError(403, `${found}; delete files, or wait for batches to end`, { code });
}
