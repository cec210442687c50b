import { LightningAttentionState } from "@levin/lightning-attention";
import { KeyValueCache } from "@levin/softmax-attention";
import type { ModelConfig } from "./config/model-config.ts";
import type { LayerState } from "./decoder-layer.ts";

/** Raised when bytes are not a state of this model. */
export class ModelStateError extends Error {
  override readonly name = "ModelStateError";
}

interface Header {
  batch: number;
  length: number;
  positions: number[];
  layerBytes: number[];
}

/** All a model remembers of a batch of sequences: one state per layer, and how far each row is. */
export class CausalModelState {
  readonly batch: number;
  /** State of each layer. */
  readonly layers: LayerState[];
  /** Real tokens fed so far, per row: the position of the next token. */
  readonly positions: number[];
  /** Tokens fed so far, padding included. */
  length: number;
  /** True after an error in the middle of the layers: some have moved on, others have not. */
  broken = false;

  constructor(layers: LayerState[], positions: number[], length: number) {
    this.layers = layers;
    this.positions = positions;
    this.batch = positions.length;
    this.length = length;
  }

  /** Bytes held by all layers. */
  get byteLength(): number {
    return this.layers.reduce((sum, layer) => sum + layer.byteLength, 0);
  }

  clone(): CausalModelState {
    return new CausalModelState(
      this.layers.map((layer) => layer.clone()),
      [...this.positions],
      this.length,
    );
  }

  /**
   * A state of `rows` of this one, then of all rows of `others`; all of them stay as they are.
   * @throws ModelStateError for rows that are not there and states that an error left half moved
   */
  regroup(rows: readonly number[], others: readonly CausalModelState[] = []): CausalModelState {
    const parts = [
      { state: this as CausalModelState, rows },
      ...others.map((state) => ({ state, rows: state.positions.map((_, row) => row) })),
    ].filter((part) => part.rows.length > 0);
    checkRows(parts);
    const layers: LayerState[] = [];
    try {
      this.layers.forEach((_, i) => {
        layers.push(rowsOfLayer(parts.map((part) => ({ ...part, state: part.state.layers[i]! }))));
      });
    } catch (error) {
      for (const layer of layers) layer.dispose();
      throw error;
    }
    const positions = parts.flatMap(({ state, rows: of }) =>
      of.map((row) => state.positions[row]!),
    );
    const cache = layers.find((layer) => layer instanceof KeyValueCache);
    return new CausalModelState(layers, positions, cache?.length ?? Math.max(...positions));
  }

  dispose(): void {
    for (const layer of this.layers) layer.dispose();
  }

  /** Header length (uint32), JSON header, then the layers' bytes in order. */
  serialize(): Uint8Array {
    const parts = this.layers.map((layer) => layer.serialize());
    const header: Header = {
      batch: this.batch,
      length: this.length,
      positions: this.positions,
      layerBytes: parts.map((part) => part.byteLength),
    };
    const json = new TextEncoder().encode(JSON.stringify(header));
    const size = parts.reduce((sum, part) => sum + part.byteLength, 4 + json.byteLength);
    const bytes = new Uint8Array(size);
    new DataView(bytes.buffer).setUint32(0, json.byteLength, true);
    let offset = 4;
    for (const part of [json, ...parts]) {
      bytes.set(part, offset);
      offset += part.byteLength;
    }
    return bytes;
  }

  /**
   * The state that {@link serialize} wrote.
   * @throws ModelStateError when the bytes are broken or of a model with other sizes
   */
  static deserialize(bytes: Uint8Array, config: ModelConfig): CausalModelState {
    const { header, body } = readHeader(bytes);
    const expected = config.numHiddenLayers;
    const total = header.layerBytes.reduce((sum, size) => sum + size, 0);
    if (header.layerBytes.length !== expected || total !== body.byteLength) {
      throw new ModelStateError(
        `model state: expected ${expected} layers of ${total} bytes, ` +
          `found ${header.layerBytes.length} layers and ${body.byteLength} bytes`,
      );
    }
    const layers: LayerState[] = [];
    try {
      let offset = 0;
      header.layerBytes.forEach((size, index) => {
        const part = body.subarray(offset, (offset += size));
        layers.push(deserializeLayer(part, header, config, index));
      });
    } catch (error) {
      for (const layer of layers) layer.dispose();
      throw new ModelStateError(`model state: ${(error as Error).message}`, { cause: error });
    }
    return new CausalModelState(layers, header.positions, header.length);
  }
}

interface Rows<State> {
  state: State;
  rows: readonly number[];
}

function checkRows(parts: readonly Rows<CausalModelState>[]): void {
  if (parts.length === 0) throw new ModelStateError("rows: expected at least one, found none");
  for (const { state, rows } of parts) {
    if (state.broken) throw new ModelStateError("rows: expected whole states, found a broken one");
    const wrong = rows.find((row) => state.positions[row] === undefined);
    if (wrong !== undefined) {
      throw new ModelStateError(`rows: expected numbers in 0..${state.batch - 1}, found ${wrong}`);
    }
  }
}

function rowsOfLayer(parts: readonly Rows<LayerState>[]): LayerState {
  return parts[0]!.state instanceof LightningAttentionState
    ? LightningAttentionState.ofRows(parts as Rows<LightningAttentionState>[])
    : KeyValueCache.ofRows(parts as Rows<KeyValueCache>[]);
}

function deserializeLayer(
  bytes: Uint8Array,
  { batch, length }: Header,
  config: ModelConfig,
  index: number,
): LayerState {
  const { numAttentionHeads, numKeyValueHeads, headDim } = config;
  return config.layerTypes[index] === "lightning"
    ? LightningAttentionState.deserialize(bytes, [batch, numAttentionHeads, headDim])
    : KeyValueCache.deserialize(bytes, [batch, numKeyValueHeads, length, headDim]);
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
