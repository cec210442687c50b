// Products of panels into tiles of 4 × 8 numbers in registers, added to what is there. Operands are
// depth first: 4 rows of A and 8 columns of B per step.

import { multiplyAdd } from "./gemm";

/**
 * C ← factor · C + A B with one factor per row.
 *
 * @param factors address of the four factors
 * @param c address of the tile, 4 rows of 8 numbers
 */
export function weightedTile(depth: i32, a: usize, b: usize, factors: usize, c: usize): void {
  const w0 = v128.load_splat<f32>(factors);
  let c00 = f32x4.mul(v128.load(c), w0), c01 = f32x4.mul(v128.load(c, 16), w0);
  const w1 = v128.load_splat<f32>(factors, 4);
  let c10 = f32x4.mul(v128.load(c, 32), w1), c11 = f32x4.mul(v128.load(c, 48), w1);
  const w2 = v128.load_splat<f32>(factors, 8);
  let c20 = f32x4.mul(v128.load(c, 64), w2), c21 = f32x4.mul(v128.load(c, 80), w2);
  const w3 = v128.load_splat<f32>(factors, 12);
  let c30 = f32x4.mul(v128.load(c, 96), w3), c31 = f32x4.mul(v128.load(c, 112), w3);
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
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c, c10, 32);
  v128.store(c, c11, 48);
  v128.store(c, c20, 64);
  v128.store(c, c21, 80);
  v128.store(c, c30, 96);
  v128.store(c, c31, 112);
}

/** C ← C + A B, where the rows of C stand at four addresses. */
export function addingTile(
  depth: i32,
  a: usize,
  b: usize,
  row0: usize,
  row1: usize,
  row2: usize,
  row3: usize,
): void {
  let c00 = v128.load(row0), c01 = v128.load(row0, 16);
  let c10 = v128.load(row1), c11 = v128.load(row1, 16);
  let c20 = v128.load(row2), c21 = v128.load(row2, 16);
  let c30 = v128.load(row3), c31 = v128.load(row3, 16);
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
  v128.store(row0, c00);
  v128.store(row0, c01, 16);
  v128.store(row1, c10);
  v128.store(row1, c11, 16);
  v128.store(row2, c20);
  v128.store(row2, c21, 16);
  v128.store(row3, c30);
  v128.store(row3, c31, 16);
}
