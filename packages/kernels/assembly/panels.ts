// Rows of a matrix copied into panels, the form in which the tiles in registers read them.

import { packFour } from "./gemm";

/**
 * Rows side by side: per depth the numbers of `panel` (4 or 8) rows, panel after panel.
 *
 * @param offsets int32 byte offsets of the rows from `base`
 * @param zeros `depth` zeros, read in place of the rows that the last panel lacks
 */
export function packRows(
  base: usize,
  offsets: usize,
  rows: i32,
  panel: i32,
  depth: i32,
  zeros: usize,
  to: usize,
): void {
  const step = (<usize>panel) << 2;
  for (let first = 0; first < rows; first += panel) {
    for (let i = 0; i < panel; i += 4) {
      packFour(
        rowAddress(base, offsets, first + i, rows, zeros),
        rowAddress(base, offsets, first + i + 1, rows, zeros),
        rowAddress(base, offsets, first + i + 2, rows, zeros),
        rowAddress(base, offsets, first + i + 3, rows, zeros),
        depth,
        to + ((<usize>i) << 2),
        step,
      );
    }
    to += step * <usize>depth;
  }
}

/** Address of a row by its number in `offsets`, or `missing` for numbers from `rows` on. */
// @ts-ignore: decorator
@inline
export function rowAddress(base: usize, offsets: usize, row: i32, rows: i32, missing: usize): usize {
  return row < rows ? base + load<i32>(offsets + ((<usize>row) << 2)) : missing;
}

/**
 * One row cut into pieces of `panel` (4 or 8) numbers, times `weight`, piece after piece `stride`
 * bytes apart; the last piece is filled up with zeros.
 */
export function scatterRow(
  from: usize,
  columns: i32,
  panel: i32,
  weight: f32,
  to: usize,
  stride: usize,
): void {
  const w = f32x4.splat(weight);
  const four = (<usize>4) << 2;
  let column = 0;
  if (panel == 8) {
    for (; column + 8 <= columns; column += 8) {
      v128.store(to, f32x4.mul(v128.load(from), w));
      v128.store(to, f32x4.mul(v128.load(from, 16), w), 16);
      from += 2 * four;
      to += stride;
    }
  } else {
    for (; column + 4 <= columns; column += 4) {
      v128.store(to, f32x4.mul(v128.load(from), w));
      from += four;
      to += stride;
    }
  }
  if (column == columns) return;
  for (let i = 0; i < panel; i++) {
    const value = column + i < columns ? load<f32>(from) * weight : 0;
    store<f32>(to, value);
    from += 4;
    to += 4;
  }
}
