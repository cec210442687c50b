// Scores q · k of 4 queries and 8 keys, a 4 × 8 tile in registers, each times a factor: a decay or a
// scale. Operands are panels, depth first: 4 queries and 8 keys per step. The result is a left panel
// for the product with the values, depth first too: per key the scores of 4 queries.

import { multiplyAdd } from "./gemm";

/**
 * @param factors address of the factor for the first query and the first key; the one for query i
 *   and key j stands i − j numbers on
 */
export function scoreTile(depth: i32, a: usize, b: usize, factors: usize, to: usize): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  const end = a + ((<usize>depth) << 4);
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a);
    c00 = multiplyAdd(a0, b0, c00);
    c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(a1, b0, c10);
    c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(a2, b0, c20);
    c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load_splat<f32>(a, 12);
    c30 = multiplyAdd(a3, b0, c30);
    c31 = multiplyAdd(a3, b1, c31);
    a += 16;
    b += 32;
  }
  storeTransposed(c00, c10, c20, c30, factors, to);
  storeTransposed(c01, c11, c21, c31, factors - 16, to + 64);
}

// @ts-ignore: decorator
@inline
function storeTransposed(a: v128, b: v128, c: v128, d: v128, factors: usize, to: usize): void {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, f32x4.mul(v128.shuffle<i64>(ab, cd, 0, 2), v128.load(factors)));
  v128.store(to, f32x4.mul(v128.shuffle<i64>(ab, cd, 1, 3), v128.load(factors - 4)), 16);
  v128.store(to, f32x4.mul(v128.shuffle<i64>(abHigh, cdHigh, 0, 2), v128.load(factors - 8)), 32);
  v128.store(to, f32x4.mul(v128.shuffle<i64>(abHigh, cdHigh, 1, 3), v128.load(factors - 12)), 48);
}
