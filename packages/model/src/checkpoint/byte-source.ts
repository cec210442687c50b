/** Random access to bytes: a file, a buffer, HTTP ranges. */
export interface ByteSource {
  /** For messages: the file's name. */
  readonly name: string;
  readonly byteLength: number;
  /** Exactly `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Raised when a checkpoint is broken or not of the configured model. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/** Bytes in memory as a source. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    byteLength: bytes.byteLength,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}
