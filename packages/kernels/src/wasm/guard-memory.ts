/** What the wasm backend allocates with: Emscripten's `malloc` and its view of the memory. */
export interface Allocator {
  _malloc: (bytes: number) => number;
  _free: (address: number) => void;
  HEAPU8: Uint8Array;
}

/** Raised when a tensor no longer fits into the wasm backend's memory; what is there stays usable. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
}

/**
 * Makes every allocation of the backend fail with an error when memory is used up. tfjs does not
 * look at what `malloc` returns: it would write over address 0, or past the end.
 */
export function guardMemory(allocator: Allocator): void {
  const { _malloc: first, _free: free } = allocator;
  // Emscripten puts the real function in the place of a stub at the first call.
  free(first(16));
  const { _malloc: allocate } = allocator;
  const guarded: Allocator["_malloc"] = (bytes) => {
    const address = allocate(bytes) >>> 0;
    const held = allocator.HEAPU8.length;
    if (address === 0 || address + bytes > held) {
      throw new OutOfMemoryError(
        `wasm backend: expected ${mebibytes(bytes)} of free memory, found too little beside the ` +
          `${mebibytes(held)} in use (4096 MiB at most); a shorter context, a smaller batch or ` +
          `quantised weights need less`,
      );
    }
    return address;
  };
  Object.assign(allocator, { _malloc: guarded });
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
