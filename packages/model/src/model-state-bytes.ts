/** Raised when bytes are not a state of this model. */
export class ModelStateError extends Error {
  override readonly name = "ModelStateError";
}

/** What a state is beside its layers. */
export interface StateHeader {
  batch: number;
  length: number;
  positions: readonly number[];
}

/** Header length (uint32), JSON header, then the layers' bytes in order. */
export function packState(header: StateHeader, layers: readonly Uint8Array[]): Uint8Array {
  const layerBytes = layers.map((layer) => layer.byteLength);
  const json = new TextEncoder().encode(JSON.stringify({ ...header, layerBytes }));
  const size = layerBytes.reduce((sum, bytes) => sum + bytes, 4 + json.byteLength);
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, json.byteLength, true);
  let offset = 4;
  for (const part of [json, ...layers]) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/**
 * What {@link packState} was given.
 * @throws ModelStateError when the bytes are broken or of another number of layers
 */
export function unpackState(
  bytes: Uint8Array,
  expected: number,
): { header: { batch: number; length: number; positions: number[] }; layers: Uint8Array[] } {
  const { header, body } = readHeader(bytes);
  const { layerBytes, ...rest } = header;
  const total = layerBytes.reduce((sum, size) => sum + size, 0);
  if (layerBytes.length !== expected || total !== body.byteLength) {
    throw new ModelStateError(
      `model state: expected ${expected} layers of ${total} bytes, ` +
        `found ${layerBytes.length} layers and ${body.byteLength} bytes`,
    );
  }
  let offset = 0;
  return {
    header: rest,
    layers: layerBytes.map((size) => body.subarray(offset, (offset += size))),
  };
}

interface Header {
  batch: number;
  length: number;
  positions: number[];
  layerBytes: number[];
}

function readHeader(bytes: Uint8Array): { header: Header; body: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.byteLength >= 4 ? view.getUint32(0, true) : Infinity;
  if (4 + size > bytes.byteLength) {
    throw new ModelStateError(
      `model state: expected a header of ${size} bytes, found ${bytes.byteLength} bytes in all`,
    );
  }
  let header: Partial<Header> | null;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size))) as Partial<Header>;
  } catch (error) {
    throw new ModelStateError("model state: the header is not JSON", { cause: error });
  }
  const counts = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  const { batch, length, positions, layerBytes } = header ?? {};
  if (
    !counts([batch, length]) ||
    !counts(positions) ||
    !counts(layerBytes) ||
    positions.length !== batch
  ) {
    throw new ModelStateError("model state: expected batch, length, positions and layerBytes");
  }
  return { header: header as Header, body: bytes.subarray(4 + size) };
}
