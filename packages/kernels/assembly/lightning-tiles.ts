// Two of the dense products of one block of lightning attention, as 4 × 8 tiles in registers; the
// third are the scores (score-tile.ts). Operands are panels, depth first: 4 numbers per step for the
// left one, 8 for the right one.

import { multiplyAdd } from "./gemm";

/**
 * Output of 4 tokens in 8 columns: λ^distance · q S + scores · V.
 *
 * @param stateDepth rows of the state, 0 when it is zero
 * @param decay address of the factors of the state for the 4 tokens
 * @param keys depth of `scores` and `values`
 * @param row0 address of the first token's 8 columns; `row1` .. `row3` those of the others
 */
export function outputTile(
  stateDepth: i32,
  queries: usize,
  state: usize,
  decay: usize,
  keys: i32,
  scores: usize,
  values: usize,
  row0: usize,
  row1: usize,
  row2: usize,
  row3: usize,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let a = queries;
  let b = state;
  let end = a + ((<usize>stateDepth) << 4);
  for (let part = 0; part < 2; part++) {
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
    if (part == 0) {
      const w0 = v128.load_splat<f32>(decay);
      c00 = f32x4.mul(c00, w0);
      c01 = f32x4.mul(c01, w0);
      const w1 = v128.load_splat<f32>(decay, 4);
      c10 = f32x4.mul(c10, w1);
      c11 = f32x4.mul(c11, w1);
      const w2 = v128.load_splat<f32>(decay, 8);
      c20 = f32x4.mul(c20, w2);
      c21 = f32x4.mul(c21, w2);
      const w3 = v128.load_splat<f32>(decay, 12);
      c30 = f32x4.mul(c30, w3);
      c31 = f32x4.mul(c31, w3);
      a = scores;
      b = values;
      end = a + ((<usize>keys) << 4);
    }
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

/** 4 rows and 8 columns of the state, a right panel: S ← across · S + Kᵀ V; `add` false: S ← Kᵀ V. */
export function stateTile(depth: i32, a: usize, b: usize, c: usize, across: f32, add: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  if (add) {
    const w = f32x4.splat(across);
    c00 = f32x4.mul(v128.load(c), w);
    c01 = f32x4.mul(v128.load(c, 16), w);
    c10 = f32x4.mul(v128.load(c, 32), w);
    c11 = f32x4.mul(v128.load(c, 48), w);
    c20 = f32x4.mul(v128.load(c, 64), w);
    c21 = f32x4.mul(v128.load(c, 80), w);
    c30 = f32x4.mul(v128.load(c, 96), w);
    c31 = f32x4.mul(v128.load(c, 112), w);
  }
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
