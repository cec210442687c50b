import { CheckpointError, type ByteSource } from "./byte-source.ts";
import { elementBytes, type ElementType } from "./element-types.ts";

/** Where one tensor stands in a safetensors file. */
export interface TensorEntry {
  name: string;
  type: ElementType;
  shape: number[];
  /** Absolute position of its bytes. */
  offset: number;
  byteLength: number;
}

/** The reference implementation refuses larger headers too. */
const maxHeaderBytes = 100_000_000;

/**
 * Reads and checks the header of a safetensors file: 8 bytes of length, JSON, data.
 * @throws CheckpointError when it is truncated, lies about sizes, or has overlapping tensors
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<TensorEntry[]> {
  const fail = (message: string, cause?: unknown): never => {
    throw new CheckpointError(`${source.name}: ${message}`, { cause });
  };
  if (source.byteLength < 8) {
    fail(`expected at least 8 bytes, found ${source.byteLength}`);
  }
  const prefix = await source.read(0, 8);
  const size = Number(new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true));
  if (size > maxHeaderBytes || 8 + size > source.byteLength) {
    fail(
      `expected a header within the file's ${source.byteLength} bytes, found a length of ${size}`,
    );
  }
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await source.read(8, size));
    header = JSON.parse(text);
  } catch (error) {
    fail(`expected a JSON header, found ${(error as Error).message}`, error);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    return fail("expected a JSON object as header");
  }
  const dataLength = source.byteLength - 8 - size;
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => checkedEntry(name, entry, 8 + size, dataLength, fail))
    .sort((a, b) => a.offset - b.offset);
  let end = 8 + size;
  for (const { name, offset, byteLength } of entries) {
    if (offset !== end) fail(`expected ${name} to start at byte ${end}, found ${offset}`);
    end = offset + byteLength;
  }
  if (end !== source.byteLength) {
    fail(`expected ${end} bytes, found ${source.byteLength}`);
  }
  return entries;
}

function checkedEntry(
  name: string,
  entry: unknown,
  dataStart: number,
  dataLength: number,
  fail: (message: string) => never,
): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(elementBytes, dtype)) {
    return fail(
      `${name}: expected dtype ${Object.keys(elementBytes).join(", ")}, found ${JSON.stringify(dtype)}`,
    );
  }
  if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    return fail(`${name}: expected a shape and two data_offsets, found ${JSON.stringify(entry)}`);
  }
  const [begin, end] = offsets as [number, number];
  const type = dtype as ElementType;
  const expected = shape.reduce((product, n) => product * n, elementBytes[type]);
  if (begin > end || end > dataLength || end - begin !== expected) {
    return fail(
      `${name}: expected ${expected} bytes for ${dtype} [${shape}] within ${dataLength}, found ${begin}..${end}`,
    );
  }
  return { name, type, shape, offset: dataStart + begin, byteLength: expected };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
