// Products of one row of numbers with block-quantised weights, straight from the blocks, so that the memory is what
// limits them. The row is rounded to 16-bit whole numbers first, in blocks like the weights' (x_k ≈ e · p_k,
// |p_k| ≤ 32767); a block's product then is four instructions of i32x4.dot_i16x8_s:
//   x · w ≈ Σ_blocks e · d · Σ_k p_k q_k
// Rounding errs by at most e / 2, 1.6e-5 of the largest |x| of a block, where 8-bit weights err by 4e-3 of theirs.

import { sumOfLanes } from "./elementwise";
import { multiplyAdd } from "./gemm";
import { BLOCK, blockBytes, eightNibbles, weightBytes } from "./quantized-blocks";

// A rounded block: p_0..p_31, then e four times.
const SCALE: usize = 64;
const ROUNDED_BLOCK: usize = 80;

/** 1.5 · 2^23: added to a small float32, it leaves the nearest whole number in the lowest bits. */
const ROUNDING: f32 = 12582912;

/** Bytes of a row of `depth` numbers as {@link roundRow} leaves it. */
// @ts-ignore: decorator
@inline
export function roundedBytes(depth: i32): usize {
  return <usize>((depth + BLOCK - 1) / BLOCK) * ROUNDED_BLOCK;
}

/** Rounds `depth` numbers, whole blocks of them, for {@link quantizedProducts}. */
export function roundRow(x: usize, depth: i32, to: usize): void {
  const end = x + ((<usize>depth) << 2);
  for (; x < end; x += (<usize>BLOCK) << 2) {
    let largest = f32x4.splat(0);
    // 0, but NaN when a number is: the maximum would lose it.
    let broken = f32x4.splat(0);
    for (let i: usize = 0; i < 128; i += 16) {
      const numbers = v128.load(x + i);
      largest = f32x4.pmax(largest, f32x4.abs(numbers));
      broken = f32x4.add(broken, f32x4.sub(numbers, numbers));
    }
    largest = f32x4.pmax(largest, v128.shuffle<i32>(largest, largest, 2, 3, 0, 1));
    largest = f32x4.pmax(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2));
    const most = f32x4.extract_lane(largest, 0);
    // Below, 32767 / most would overflow; products with such numbers are nothing beside any others.
    const inverse = f32x4.splat(most < 1e-30 ? 0 : 32767 / most);
    for (let i: usize = 0; i < 64; i += 16) {
      const from = x + 2 * i;
      const low = wholeNumbers(v128.load(from), inverse);
      v128.store(to + i, i16x8.narrow_i32x4_s(low, wholeNumbers(v128.load(from, 16), inverse)));
    }
    const scale = f32x4.mul(largest, f32x4.splat(1 / <f32>32767));
    v128.store(to, f32x4.add(scale, f32x4.splat(sumOfLanes(broken))), SCALE);
    to += ROUNDED_BLOCK;
  }
}

// @ts-ignore: decorator
@inline
function wholeNumbers(x: v128, factor: v128): v128 {
  const rounding = f32x4.splat(ROUNDING);
  return i32x4.sub(f32x4.add(f32x4.mul(x, factor), rounding), rounding);
}

/** y[n] = x · weight[n] for n in first..last−1; x [depth] as {@link roundRow} leaves it. */
export function quantizedProducts(
  first: i32,
  last: i32,
  depth: i32,
  x: usize,
  weight: usize,
  kind: i32,
  y: usize,
): void {
  const stride = weightBytes(kind, depth);
  let row = weight + <usize>first * stride;
  // Row after row, as they lie in memory: several rows at once take half as long again.
  for (let n = first; n < last; n++) {
    store<f32>(y + ((<usize>n) << 2), quantizedDot(x, row, depth, kind));
    row += stride;
  }
}

/** x · w; x [depth] as {@link roundRow} leaves it. */
// @ts-ignore: decorator
@inline
export function quantizedDot(x: usize, w: usize, depth: i32, kind: i32): f32 {
  const end = x + roundedBytes(depth);
  return kind == 8 ? along8(x, end, w) : along4(x, end, w);
}

/** x · w of four rows x, whose addresses stand in a table; each block of weights is read once. */
export function fourQuantizedDots(xs: usize, w: usize, depth: i32, kind: i32): v128 {
  let a = load<usize>(xs);
  let b = load<usize>(xs, 4);
  let c = load<usize>(xs, 8);
  let d = load<usize>(xs, 12);
  const end = a + roundedBytes(depth);
  let sumsA = f32x4.splat(0);
  let sumsB = f32x4.splat(0);
  let sumsC = f32x4.splat(0);
  let sumsD = f32x4.splat(0);
  while (a < end) {
    const words = v128.load(w, 4);
    const q0 = kind == 8 ? v128.load_ext<i8>(w, 4) : eightNibbles(words, 0);
    const q1 = kind == 8 ? v128.load_ext<i8>(w, 12) : eightNibbles(words, 1);
    const q2 = kind == 8 ? v128.load_ext<i8>(w, 20) : eightNibbles(words, 2);
    const q3 = kind == 8 ? v128.load_ext<i8>(w, 28) : eightNibbles(words, 3);
    const scale = v128.load_splat<f32>(w);
    sumsA = addDots(a, q0, q1, q2, q3, scale, sumsA);
    sumsB = addDots(b, q0, q1, q2, q3, scale, sumsB);
    sumsC = addDots(c, q0, q1, q2, q3, scale, sumsC);
    sumsD = addDots(d, q0, q1, q2, q3, scale, sumsD);
    a += ROUNDED_BLOCK;
    b += ROUNDED_BLOCK;
    c += ROUNDED_BLOCK;
    d += ROUNDED_BLOCK;
    w += blockBytes(kind);
  }
  return f32x4(sumOfPairs(sumsA), sumOfPairs(sumsB), sumOfPairs(sumsC), sumOfPairs(sumsD));
}

/** sums + e · d · Σ p q of one block. */
// @ts-ignore: decorator
@inline
function addDots(p: usize, q0: v128, q1: v128, q2: v128, q3: v128, scale: v128, sums: v128): v128 {
  const first = i32x4.dot_i16x8_s(q0, v128.load(p));
  const second = i32x4.dot_i16x8_s(q1, v128.load(p, 16));
  const third = i32x4.dot_i16x8_s(q2, v128.load(p, 32));
  const fourth = i32x4.dot_i16x8_s(q3, v128.load(p, 48));
  const products = i32x4.add(i32x4.add(first, second), i32x4.add(third, fourth));
  return multiplyAdd(f32x4.convert_i32x4_s(products), f32x4.mul(v128.load(p, SCALE), scale), sums);
}

function along8(p: usize, end: usize, w: usize): f32 {
  let sums = f32x4.splat(0);
  for (; p < end; p += ROUNDED_BLOCK) {
    const first = i32x4.dot_i16x8_s(v128.load_ext<i8>(w, 4), v128.load(p));
    const second = i32x4.dot_i16x8_s(v128.load_ext<i8>(w, 12), v128.load(p, 16));
    const third = i32x4.dot_i16x8_s(v128.load_ext<i8>(w, 20), v128.load(p, 32));
    const fourth = i32x4.dot_i16x8_s(v128.load_ext<i8>(w, 28), v128.load(p, 48));
    sums = addBlock(first, second, third, fourth, p, w, sums);
    w += blockBytes(8);
  }
  return sumOfPairs(sums);
}

function along4(p: usize, end: usize, w: usize): f32 {
  let sums = f32x4.splat(0);
  for (; p < end; p += ROUNDED_BLOCK) {
    const words = v128.load(w, 4);
    const first = i32x4.dot_i16x8_s(eightNibbles(words, 0), v128.load(p));
    const second = i32x4.dot_i16x8_s(eightNibbles(words, 1), v128.load(p, 16));
    const third = i32x4.dot_i16x8_s(eightNibbles(words, 2), v128.load(p, 32));
    const fourth = i32x4.dot_i16x8_s(eightNibbles(words, 3), v128.load(p, 48));
    sums = addBlock(first, second, third, fourth, p, w, sums);
    w += blockBytes(4);
  }
  return sumOfPairs(sums);
}

/** sums + e · d · (first + … + fourth). */
// @ts-ignore: decorator
@inline
function addBlock(first: v128, second: v128, third: v128, fourth: v128, p: usize, w: usize, sums: v128): v128 {
  const products = i32x4.add(i32x4.add(first, second), i32x4.add(third, fourth));
  const scale = f32x4.mul(v128.load(p, SCALE), v128.load_splat<f32>(w));
  return multiplyAdd(f32x4.convert_i32x4_s(products), scale, sums);
}

// @ts-ignore: decorator
@inline
function sumOfPairs(s: v128): f32 {
  const pairs = f32x4.add(s, v128.shuffle<i32>(s, s, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}
