import { pickRows } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";

/**
 * What a lightning layer remembers of a sequence: one matrix per head, of a size that does not
 * depend on the length (SPEC section 10).
 */
export class LightningAttentionState {
  #matrix: tf.Tensor4D;

  /** Takes ownership of `matrix`, `[batch, heads, headDim, headDim]`. */
  constructor(matrix: tf.Tensor4D) {
    this.#matrix = tf.keep(matrix);
  }

  /** `[batch, heads, headDim, headDim]`, key axis first; owned by this state. */
  get matrix(): tf.Tensor4D {
    return this.#matrix;
  }

  get byteLength(): number {
    return this.#matrix.size * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Replaces the matrix by that after more tokens, and disposes of the old one. */
  update(matrix: tf.Tensor4D): void {
    const old = this.#matrix;
    this.#matrix = tf.keep(matrix);
    old.dispose();
  }

  clone(): LightningAttentionState {
    return new LightningAttentionState(tf.clone(this.#matrix));
  }

  /** The chosen rows of one or more states, in this order; the states stay as they are. */
  static ofRows(
    parts: readonly { state: LightningAttentionState; rows: readonly number[] }[],
  ): LightningAttentionState {
    const matrix = tf.tidy(() =>
      tf.concat(
        parts.map(({ state, rows }) => pickRows(state.#matrix, rows) as tf.Tensor4D),
        0,
      ),
    );
    return new LightningAttentionState(matrix);
  }

  /** The matrix as little-endian float32. */
  serialize(): Uint8Array {
    return new Uint8Array((this.#matrix.dataSync() as Float32Array).slice().buffer);
  }

  /**
   * The state that {@link serialize} wrote.
   * @throws RangeError when the number of bytes does not fit the shape
   */
  static deserialize(
    bytes: Uint8Array,
    shape: [batch: number, heads: number, headDim: number],
  ): LightningAttentionState {
    const [batch, heads, headDim] = shape;
    const expected = batch * heads * headDim * headDim * Float32Array.BYTES_PER_ELEMENT;
    if (bytes.byteLength !== expected) {
      throw new RangeError(
        `lightning attention state: expected ${expected} bytes for [${batch}, ${heads}, ${headDim}, ${headDim}], found ${bytes.byteLength}`,
      );
    }
    const values = new Float32Array(bytes.slice().buffer);
    return new LightningAttentionState(tf.tensor4d(values, [batch, heads, headDim, headDim]));
  }

  dispose(): void {
    this.#matrix.dispose();
  }
}
