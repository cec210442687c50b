// Products of one row with a weight of any kind: float32, or quantised to 8 or 4 bits.

import { dotProducts } from "./matrix-product";
import { quantizedProducts, roundedBytes, roundRow } from "./quantized-products";

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

/** y[n] = x · weight[n] for n in first..last−1; x [depth] from {@link readyRow}, weight [.., depth]. */
export function weightProducts(
  first: i32,
  last: i32,
  depth: i32,
  x: usize,
  weight: usize,
  kind: i32,
  y: usize,
): void {
  if (kind == 0) dotProducts(first, last, depth, x, weight, depth, y);
  else quantizedProducts(first, last, depth, x, weight, kind, y);
}
