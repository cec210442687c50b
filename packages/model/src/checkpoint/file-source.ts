import { open, type FileHandle } from "node:fs/promises";
import { CheckpointError, type ByteSource } from "./byte-source.ts";
import { readSafetensors, type NamedArray } from "./safetensors-reader.ts";

/** An open file as a byte source; call `close` when done. */
export interface FileSource extends ByteSource {
  close(): Promise<void>;
}

/** One read of the operating system ends at 2 GiB. */
const maxReadBytes = 2 ** 30;

/** Opens a file; throws CheckpointError when there is none or it is no file. */
export async function fileSource(path: string): Promise<FileSource> {
  const handle = await named(path, open(path));
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    throw new CheckpointError(`${path}: expected a file, found a folder or device`);
  }
  return {
    name: path,
    byteLength: stats.size,
    read: (offset, length) => named(path, readFully(handle, offset, length)),
    close: () => handle.close(),
  };
}

/** Opens several files, or none of them when one cannot be opened. */
export async function openFiles(paths: readonly string[]): Promise<FileSource[]> {
  const sources: FileSource[] = [];
  try {
    for (const path of paths) sources.push(await fileSource(path));
    return sources;
  } catch (error) {
    await Promise.all(sources.map((source) => source.close()));
    throw error;
  }
}

/** All tensors of one safetensors file, by name. */
export async function readSafetensorsFile(path: string): Promise<Map<string, NamedArray>> {
  const source = await fileSource(path);
  try {
    const tensors = new Map<string, NamedArray>();
    for await (const tensor of readSafetensors(source)) tensors.set(tensor.name, tensor);
    return tensors;
  } finally {
    await source.close();
  }
}

async function readFully(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const size = Math.min(maxReadBytes, length - done);
    const { bytesRead } = await handle.read(bytes, done, size, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** Errors of the file system become CheckpointErrors that name the file. */
async function named<T>(path: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw new CheckpointError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}
