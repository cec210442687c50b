// Block-quantised weights: a matrix [out, in] as rows of in / 32 blocks, each a float32 scale d and 32 whole numbers q;
// weight k of a block is d · q_k.
//   8 bits, 36 bytes: d, then q_k in byte k, −127..127.
//   4 bits, 20 bytes: d, then eight 16-bit words; word j holds q_j, q_{8+j}, q_{16+j}, q_{24+j}, −8..7, from its lowest
//   nibble up, so that two shifts give eight neighbours with their signs.
// The kind of a weight is its bits, or 0 for plain float32.

/** Weights per block. */
export const BLOCK: i32 = 32;

/** Bytes of one block: its scale, then its weights. */
// @ts-ignore: decorator
@inline
export function blockBytes(kind: i32): usize {
  return <usize>(4 + 4 * kind);
}

/** Bytes of `depth` weights of a row. */
// @ts-ignore: decorator
@inline
export function weightBytes(kind: i32, depth: i32): usize {
  return kind == 0 ? (<usize>depth) << 2 : <usize>(depth / BLOCK) * blockBytes(kind);
}

/** Numbers 8 · part to 8 · part + 7 of a block of 4 bits, 16 bits each. */
// @ts-ignore: decorator
@inline
export function eightNibbles(words: v128, part: i32): v128 {
  return i16x8.shr_s(part == 3 ? words : i16x8.shl(words, 12 - 4 * part), 12);
}

/** `depth` weights, whole blocks of them, as float32. */
export function dequantize(kind: i32, from: usize, depth: i32, to: usize): void {
  const end = to + ((<usize>depth) << 2);
  while (to < end) {
    const scale = v128.load_splat<f32>(from);
    if (kind == 8) {
      storeEight(v128.load_ext<i8>(from, 4), scale, to);
      storeEight(v128.load_ext<i8>(from, 12), scale, to + 32);
      storeEight(v128.load_ext<i8>(from, 20), scale, to + 64);
      storeEight(v128.load_ext<i8>(from, 28), scale, to + 96);
    } else {
      const words = v128.load(from, 4);
      storeEight(eightNibbles(words, 0), scale, to);
      storeEight(eightNibbles(words, 1), scale, to + 32);
      storeEight(eightNibbles(words, 2), scale, to + 64);
      storeEight(eightNibbles(words, 3), scale, to + 96);
    }
    from += blockBytes(kind);
    to += (<usize>BLOCK) << 2;
  }
}

// @ts-ignore: decorator
@inline
function storeEight(numbers: v128, scale: v128, to: usize): void {
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(numbers)), scale));
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(numbers)), scale), 16);
}
