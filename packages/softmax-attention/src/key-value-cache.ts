import { pickRows, type KeyValueSegment } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";

/** A recent segment is joined to the settled ones when it has this many tokens. */
const settleLength = 256;

/**
 * Keys (after rotation) and values of all tokens so far, `[batch, kvHeads, length, headDim]`.
 * Kept as a long settled segment and a short recent one, so that one more token copies only the
 * recent one.
 */
export class KeyValueCache {
  #segments: KeyValueSegment[] = [];
  #masks: tf.Tensor2D[] = [];
  /** Padding before the first token of each row, if the mask says no more than that. */
  #leftPadding: readonly number[] | undefined;

  get length(): number {
    return this.#segments.reduce((sum, { keys }) => sum + keys.shape[2], 0);
  }

  get byteLength(): number {
    const elements = this.#segments.reduce((sum, s) => sum + s.keys.size + s.values.size, 0);
    return elements * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Keys of all tokens in segments, owned by the cache. */
  get keys(): tf.Tensor4D[] {
    return this.#segments.map((segment) => segment.keys);
  }

  /** Values of all tokens in segments, owned by the cache. */
  get values(): tf.Tensor4D[] {
    return this.#segments.map((segment) => segment.values);
  }

  /** `[batch, length]`, 1 = real; undefined when no token was ever padding. */
  get mask(): tf.Tensor2D | undefined {
    return this.#masks[0];
  }

  /** Adds tokens and takes ownership of `keys` and `values`; `mask` is `[batch, new tokens]`, absent when all are real. */
  append(keys: tf.Tensor4D, values: tf.Tensor4D, mask?: tf.Tensor2D): void {
    const before = this.length;
    const { recent } = this.settle();
    const joined = join(recent ? [recent, { keys, values }] : [{ keys, values }]);
    if (recent) this.#segments.pop();
    this.#segments.push(joined);
    this.#appendMask(keys.shape[0], before, keys.shape[2], mask);
  }

  /** The segments before more tokens come: one that stays as it is, and one to which they are added. */
  settle(): { settled?: KeyValueSegment | undefined; recent?: KeyValueSegment | undefined } {
    const [first, second] = this.#segments;
    if (!first) return {};
    const last = second ?? first;
    const grows = last.keys.shape[2] < settleLength;
    if (second && !grows) this.#segments = [join([first, second])];
    if (!grows) return { settled: this.#segments[0]! };
    return second ? { settled: first, recent: second } : { recent: first };
  }

  /** Replaces the recent segment of {@link settle} by itself with one more token, and takes ownership. */
  extend({ keys, values }: KeyValueSegment): void {
    const before = this.length;
    const { recent } = this.settle();
    if (recent) this.#segments.pop();
    this.#segments.push({ keys: tf.keep(keys), values: tf.keep(values) });
    if (recent) tf.dispose([recent.keys, recent.values]);
    this.#appendMask(keys.shape[0], before, 1);
  }

  #appendMask(batch: number, before: number, added: number, mask?: tf.Tensor2D): void {
    const known = this.#masks.pop();
    if (!known && !mask) return;
    if (mask) this.#leftPadding = undefined;
    const parts = [
      known ?? tf.ones<tf.Rank.R2>([batch, before]),
      mask ?? tf.ones<tf.Rank.R2>([batch, added]),
    ];
    this.#masks.push(tf.keep(tf.concat(parts, 1)));
    known?.dispose();
  }

  clone(): KeyValueCache {
    const copy = new KeyValueCache();
    copy.#segments = this.#segments.map(({ keys, values }) => ({
      keys: tf.keep(tf.clone(keys)),
      values: tf.keep(tf.clone(values)),
    }));
    copy.#masks = this.#masks.map((mask) => tf.keep(tf.clone(mask)));
    copy.#leftPadding = this.#leftPadding;
    return copy;
  }

  /**
   * The chosen rows of one or more caches, in this order; the caches stay as they are. Shorter ones
   * are padded on the left, and padding that all rows have is left out.
   */
  static ofRows(parts: readonly CacheRows[]): KeyValueCache {
    const cache = new KeyValueCache();
    const cuts = parts.map((part) => part.state.#sharedPadding(part.rows));
    const length = Math.max(...parts.map(({ state }, i) => state.length - cuts[i]!));
    if (length === 0) return cache;
    const shape = parts.flatMap(({ state }) => state.keys)[0]!.shape;
    const stacked = (pick: (state: KeyValueCache) => tf.Tensor4D[]): tf.Tensor4D =>
      tf.tidy(() => {
        const empty = (count: number) => tf.zeros([count, shape[1], length, shape[3]]);
        const rowsOf = ({ state, rows }: CacheRows, i: number): tf.Tensor =>
          state.length === 0
            ? empty(rows.length)
            : fitted(pickRows(tf.concat(pick(state), 2), rows), 2, cuts[i]!, length);
        return tf.concat(parts.map(rowsOf), 0) as tf.Tensor4D;
      });
    const keys = tf.keep(stacked((state) => state.keys));
    try {
      cache.#segments = [{ keys, values: tf.keep(stacked((state) => state.values)) }];
      cache.#setRowMasks(parts, cuts, length);
    } catch (error) {
      keys.dispose();
      cache.dispose();
      throw error;
    }
    return cache;
  }

  /** Padding on the left that all of `rows` have, as far as it is known. */
  #sharedPadding(rows: readonly number[]): number {
    return Math.min(...rows.map((row) => this.#leftPadding?.[row] ?? 0));
  }

  #setRowMasks(parts: readonly CacheRows[], cuts: readonly number[], length: number): void {
    const isKnown = parts.every(({ state }) => !state.mask || state.#leftPadding);
    if (!isKnown) {
      this.#masks = [tf.keep(joinMasks(parts, cuts, length))];
      return;
    }
    const padding = parts.flatMap(({ state, rows }) =>
      rows.map((row) => length - state.length + (state.#leftPadding?.[row] ?? 0)),
    );
    if (padding.every((count) => count === 0)) return;
    const isReal = padding.map((count) => Array.from({ length }, (_, t) => Number(t >= count)));
    this.#masks = [tf.keep(tf.tensor2d(isReal))];
    this.#leftPadding = padding;
  }

  /** Keys, values and (when there was padding) mask as little-endian float32, one after another. */
  serialize(): Uint8Array {
    if (this.#segments.length === 0) return new Uint8Array();
    const values: Float32Array[] = [];
    // Not returned from tidy, which would look for tensors in every one of the numbers.
    tf.tidy(() => {
      const parts = [tf.concat(this.keys, 2), tf.concat(this.values, 2), ...this.#masks];
      for (const part of parts) values.push(part.dataSync() as Float32Array);
    });
    const joined = new Float32Array(values.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of values) {
      joined.set(part, offset);
      offset += part.length;
    }
    return new Uint8Array(joined.buffer);
  }

  /**
   * The cache that {@link serialize} wrote.
   * @throws RangeError when the number of bytes does not fit the shape
   */
  static deserialize(
    bytes: Uint8Array,
    [batch, kvHeads, length, headDim]: [number, number, number, number],
  ): KeyValueCache {
    const size = batch * kvHeads * length * headDim;
    const plain = 2 * size;
    const masked = plain + batch * length;
    const found = bytes.byteLength / Float32Array.BYTES_PER_ELEMENT;
    if (found !== plain && found !== masked) {
      throw new RangeError(
        `key-value cache: expected ${4 * plain} or ${4 * masked} bytes for [${batch}, ${kvHeads}, ${length}, ${headDim}], found ${bytes.byteLength}`,
      );
    }
    const cache = new KeyValueCache();
    if (size === 0) return cache;
    const floats = new Float32Array(bytes.slice().buffer);
    const shape: [number, number, number, number] = [batch, kvHeads, length, headDim];
    const keys = tf.tensor4d(floats.slice(0, size), shape);
    const values = tf.tensor4d(floats.slice(size, plain), shape);
    cache.#segments = [{ keys: tf.keep(keys), values: tf.keep(values) }];
    if (found === masked) {
      cache.#masks = [tf.keep(tf.tensor2d(floats.slice(plain), [batch, length]))];
    }
    return cache;
  }

  dispose(): void {
    this.#segments.forEach(({ keys, values }) => tf.dispose([keys, values]));
    tf.dispose(this.#masks);
    this.#segments = [];
    this.#masks = [];
  }
}

/** Rows of a cache. */
interface CacheRows {
  state: KeyValueCache;
  rows: readonly number[];
}

/** `x` without its first `cut` entries along `axis`, then with zeros before it up to `length`. */
function fitted(x: tf.Tensor, axis: number, cut: number, length: number): tf.Tensor {
  const kept = x.shape[axis]! - cut;
  const begin = x.shape.map((_, i) => (i === axis ? cut : 0));
  const size = x.shape.map((all, i) => (i === axis ? kept : all));
  const before = x.shape.map((_, i): [number, number] => [i === axis ? length - kept : 0, 0]);
  const rest = cut === 0 ? x : tf.slice(x, begin, size);
  return kept === length ? rest : tf.pad(rest, before);
}

function joinMasks(
  parts: readonly CacheRows[],
  cuts: readonly number[],
  length: number,
): tf.Tensor2D {
  return tf.tidy(() => {
    const masks = parts.map(({ state, rows }, i) => {
      if (state.length === 0) return tf.zeros([rows.length, length]);
      const mask = state.mask ?? tf.ones([state.keys[0]!.shape[0], state.length]);
      return fitted(pickRows(mask, rows), 1, cuts[i]!, length);
    });
    return tf.concat(masks, 0) as tf.Tensor2D;
  });
}

/** One segment of all tokens in `segments`, which it uses up. */
function join(segments: KeyValueSegment[]): KeyValueSegment {
  const joined = (pick: (segment: KeyValueSegment) => tf.Tensor4D): tf.Tensor4D =>
    segments.length === 1 ? tf.clone(pick(segments[0]!)) : tf.concat(segments.map(pick), 2);
  const result = { keys: joined((s) => s.keys), values: joined((s) => s.values) };
  // Kept when both are there: what memory did not suffice for must not stay behind.
  tf.keep(result.keys);
  tf.keep(result.values);
  for (const { keys, values } of segments) tf.dispose([keys, values]);
  return result;
}
