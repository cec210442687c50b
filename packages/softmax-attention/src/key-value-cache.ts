import * as tf from "@tensorflow/tfjs-core";

/** A recent segment is joined to the settled ones when it has this many tokens. */
const settleLength = 256;

interface Segment {
  keys: tf.Tensor4D;
  values: tf.Tensor4D;
}

/**
 * Keys (after rotation) and values of all tokens so far, `[batch, kvHeads, length, headDim]`.
 * Kept as a long settled segment and a short recent one, so that one more token copies only the
 * recent one.
 */
export class KeyValueCache {
  #segments: Segment[] = [];
  #masks: tf.Tensor2D[] = [];

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
    const recent = this.#segments.at(-1);
    if (this.#segments.length === 2 && recent!.keys.shape[2] >= settleLength) {
      this.#segments = [join(this.#segments)];
    }
    const last = this.#segments.at(-1);
    const grows = this.#segments.length === 2 || (last && last.keys.shape[2] < settleLength);
    const joined = join(grows ? [last!, { keys, values }] : [{ keys, values }]);
    if (grows) this.#segments.pop();
    this.#segments.push(joined);
    this.#appendMask(keys.shape[0], before, keys.shape[2], mask);
  }

  #appendMask(batch: number, before: number, added: number, mask?: tf.Tensor2D): void {
    const known = this.#masks.pop();
    if (!known && !mask) return;
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
    return copy;
  }

  /** Keys, values and (when there was padding) mask as little-endian float32, one after another. */
  serialize(): Uint8Array {
    return tf.tidy(() => {
      if (this.#segments.length === 0) return new Uint8Array();
      const parts = [tf.concat(this.keys, 2), tf.concat(this.values, 2), ...this.#masks];
      const values = parts.map((part) => part.dataSync() as Float32Array);
      const joined = new Float32Array(values.reduce((sum, v) => sum + v.length, 0));
      let offset = 0;
      for (const part of values) {
        joined.set(part, offset);
        offset += part.length;
      }
      return new Uint8Array(joined.buffer);
    });
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

/** One segment of all tokens in `segments`, which it uses up. */
function join(segments: Segment[]): Segment {
  const joined = (pick: (segment: Segment) => tf.Tensor4D): tf.Tensor4D =>
    segments.length === 1 ? tf.clone(pick(segments[0]!)) : tf.concat(segments.map(pick), 2);
  const result = { keys: joined((s) => s.keys), values: joined((s) => s.values) };
  // Kept when both are there: what memory did not suffice for must not stay behind.
  tf.keep(result.keys);
  tf.keep(result.values);
  for (const { keys, values } of segments) tf.dispose([keys, values]);
  return result;
}
