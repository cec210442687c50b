import { CheckpointError, type ByteSource } from "./byte-source.ts";
import { decodeElements } from "./element-types.ts";
import { readSafetensorsHeader, type TensorEntry } from "./safetensors-header.ts";

/** One tensor read from a checkpoint: float types as float32, integers as int32. */
export interface NamedArray {
  name: string;
  shape: number[];
  values: Float32Array | Int32Array;
}

/** Reads one tensor. */
export async function readTensor(source: ByteSource, entry: TensorEntry): Promise<NamedArray> {
  const bytes = await source.read(entry.offset, entry.byteLength);
  if (bytes.byteLength !== entry.byteLength) {
    throw new CheckpointError(
      `${source.name}: ${entry.name}: expected ${entry.byteLength} bytes, found ${bytes.byteLength}`,
    );
  }
  return { name: entry.name, shape: entry.shape, values: decodeElements(bytes, entry.type) };
}

/** All tensors of a safetensors file, one at a time in file order. */
export async function* readSafetensors(source: ByteSource): AsyncGenerator<NamedArray> {
  for (const entry of await readSafetensorsHeader(source)) yield readTensor(source, entry);
}
