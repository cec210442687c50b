import { CheckpointError } from "../checkpoint/byte-source.ts";
import { encodeGgufElements, ggufElementBytes, ggufTypeIds, type GgufType } from "./gguf-types.ts";

/**
 * A value of a GGUF file's metadata. Whole numbers are written as uint32, those of an `Int32Array` as
 * int32; other numbers say that they are float32.
 */
export type GgufValue =
  | string
  | boolean
  | number
  | { float32: number }
  | readonly string[]
  | Int32Array;

/** A GGUF file's metadata by key, in the order in which it is written. */
export type GgufMetadata = Readonly<Record<string, GgufValue>>;

/** One tensor to write; its parts are read one after another, so not all need be in memory. */
export interface GgufTensor {
  name: string;
  /** Rows last, as in a checkpoint; GGUF itself has them first. */
  shape: readonly number[];
  type: GgufType;
  /** What its values are joined from, by their names in the model. */
  parts: readonly string[];
}

const version = 3;
/** The default of `general.alignment`. */
const alignment = 32;
const kinds = { uint32: 4, int32: 5, float32: 6, boolean: 7, string: 8, array: 9 } as const;

/**
 * The pieces of a GGUF file in order: metadata and the list of tensors, then each tensor's bytes
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
 *
 * @param read float32 values of a part
 * @throws CheckpointError when the parts of a tensor do not fill its shape
 */
export async function* ggufChunks(
  metadata: GgufMetadata,
  tensors: readonly GgufTensor[],
  read: (part: string) => Promise<Float32Array>,
): AsyncGenerator<Uint8Array> {
  const head = new Bytes();
  head.raw(new TextEncoder().encode("GGUF"));
  head.uint32(version);
  head.uint64(tensors.length);
  head.uint64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    head.string(key);
    writeValue(head, value);
  }
  let offset = 0;
  for (const { name, shape, type } of tensors) {
    head.string(name);
    head.uint32(shape.length);
    for (const size of shape.toReversed()) head.uint64(size);
    head.uint32(ggufTypeIds[type]);
    head.uint64(offset);
    offset += aligned(product(shape) * ggufElementBytes[type]);
  }
  yield* padded(head.all());
  for (const { name, shape, type, parts } of tensors) {
    let count = 0;
    let written = 0;
    for (const part of parts) {
      const values = await read(part);
      count += values.length;
      const bytes = encodeGgufElements(values, type);
      written += bytes.byteLength;
      yield bytes;
    }
    if (count !== product(shape)) {
      throw new CheckpointError(
        `${name}: expected ${product(shape)} values for [${shape}], found ${count}`,
      );
    }
    yield new Uint8Array(aligned(written) - written);
  }
}

function* padded(bytes: Uint8Array): Generator<Uint8Array> {
  yield bytes;
  yield new Uint8Array(aligned(bytes.byteLength) - bytes.byteLength);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}

function writeValue(out: Bytes, value: GgufValue): void {
  if (typeof value === "string") {
    out.uint32(kinds.string);
    out.string(value);
  } else if (typeof value === "boolean") {
    out.uint32(kinds.boolean);
    out.raw(Uint8Array.of(Number(value)));
  } else if (typeof value === "number") {
    out.uint32(kinds.uint32);
    out.uint32(value);
  } else if (value instanceof Int32Array) {
    out.array(kinds.int32, value.length);
    out.raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  } else if ("float32" in value) {
    out.uint32(kinds.float32);
    out.raw(new Uint8Array(Float32Array.of(value.float32).buffer));
  } else {
    out.array(kinds.string, value.length);
    for (const text of value) out.string(text);
  }
}

/** Bytes in the order in which they are written, numbers little-endian. */
class Bytes {
  readonly #pieces: Uint8Array[] = [];

  raw(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
  }

  uint32(value: number): void {
    this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  uint64(value: number): void {
    this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.uint64(bytes.byteLength);
    this.raw(bytes);
  }

  array(kind: number, length: number): void {
    this.uint32(kinds.array);
    this.uint32(kind);
    this.uint64(length);
  }

  all(): Uint8Array {
    const size = this.#pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const all = new Uint8Array(size);
    let offset = 0;
    for (const piece of this.#pieces) {
      all.set(piece, offset);
      offset += piece.byteLength;
    }
    return all;
  }
}
