// Products of a few rows with a weight of any kind: float32, or quantised to 8 or 4 bits. A weight is
// read once for all rows. Rows are given by tables of addresses, 4 bytes each.

import { dot, dotProducts, fourDots } from "./matrix-product";
import { fourQuantizedDots, quantizedDot, quantizedProducts, roundedBytes, roundRow } from "./quantized-products";
import { weightBytes } from "./quantized-blocks";

/** Memory that {@link readyRow} needs for a row of up to `depth` numbers. */
export function readyRowBytes(depth: i32): usize {
  return roundedBytes(depth);
}

/**
 * A row in the form in which weights of a kind are multiplied with it: itself, or rounded in
 * `scratch`. The same for all quantised kinds, and valid for any number of weights.
 */
export function readyRow(x: usize, depth: i32, kind: i32, scratch: usize): usize {
  if (kind == 0) return x;
  roundRow(x, depth, scratch);
  return scratch;
}

/** The address in a table of them. */
// @ts-ignore: decorator
@inline
export function addressIn(table: usize, row: i32): usize {
  return load<usize>(table + ((<usize>row) << 2));
}

// @ts-ignore: decorator
@inline
export function setAddress(table: usize, row: i32, address: usize): void {
  store<usize>(table + ((<usize>row) << 2), address);
}

/**
 * y[n] = x · weight[n] of each row, for n in first..last−1; x [depth] from {@link readyRow}, weight
 * [.., depth]; `xs` and `ys` are tables of addresses.
 */
export function weightProducts(
  rows: i32,
  first: i32,
  last: i32,
  depth: i32,
  xs: usize,
  weight: usize,
  kind: i32,
  ys: usize,
): void {
  if (rows == 1) {
    const x = load<usize>(xs);
    const y = load<usize>(ys);
    if (kind == 0) dotProducts(first, last, depth, x, weight, depth, y);
    else quantizedProducts(first, last, depth, x, weight, kind, y);
    return;
  }
  const stride = weightBytes(kind, depth);
  let w = weight + <usize>first * stride;
  for (let n = first; n < last; n++) {
    const at = (<usize>n) << 2;
    let row = 0;
    for (; row + 4 <= rows; row += 4) {
      const table = (<usize>row) << 2;
      const x = xs + table;
      const sums = kind == 0 ? fourDots(x, w, depth) : fourQuantizedDots(x, w, depth, kind);
      const y = ys + table;
      store<f32>(load<usize>(y) + at, f32x4.extract_lane(sums, 0));
      store<f32>(load<usize>(y, 4) + at, f32x4.extract_lane(sums, 1));
      store<f32>(load<usize>(y, 8) + at, f32x4.extract_lane(sums, 2));
      store<f32>(load<usize>(y, 12) + at, f32x4.extract_lane(sums, 3));
    }
    for (; row < rows; row++) {
      const x = addressIn(xs, row);
      const sum = kind == 0 ? dot(x, w, depth) : quantizedDot(x, w, depth, kind);
      store<f32>(addressIn(ys, row) + at, sum);
    }
    w += stride;
  }
}
