import { LightningAttentionState } from "@levin/lightning-attention";
import { KeyValueCache } from "@levin/softmax-attention";
import { allOrNone } from "./all-or-none.ts";
import type { ModelConfig } from "./config/model-config.ts";
import { stateHeads } from "./config/state-heads.ts";
import type { LayerState } from "./decoder-layer.ts";
import { ModelStateError, packState, unpackState, type StateHeader } from "./model-state-bytes.ts";

export { ModelStateError };

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
      allOrNone(this.layers, (layer): LayerState => layer.clone()),
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
    const layers = allOrNone(this.layers, (_, i) =>
      rowsOfLayer(parts.map((part) => ({ ...part, state: part.state.layers[i]! }))),
    );
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
    const { batch, length, positions } = this;
    return packState(
      { batch, length, positions },
      this.layers.map((layer) => layer.serialize()),
    );
  }

  /**
   * The state that {@link serialize} wrote.
   * @throws ModelStateError when the bytes are broken or of a model with other sizes
   */
  static deserialize(bytes: Uint8Array, config: ModelConfig): CausalModelState {
    const { header, layers } = unpackState(bytes, config.numHiddenLayers);
    try {
      return new CausalModelState(
        allOrNone(layers, (part, index) => deserializeLayer(part, header, config, index)),
        header.positions,
        header.length,
      );
    } catch (error) {
      throw new ModelStateError(`model state: ${(error as Error).message}`, { cause: error });
    }
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
  { batch, length }: StateHeader,
  config: ModelConfig,
  index: number,
): LayerState {
  const { numKeyValueHeads, headDim } = config;
  return config.layerTypes[index] === "lightning"
    ? LightningAttentionState.deserialize(bytes, [batch, stateHeads(config, index), headDim])
    : KeyValueCache.deserialize(bytes, [batch, numKeyValueHeads, length, headDim]);
}
