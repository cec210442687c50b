// C = A · B over all threads: the job behind projections and their gradients.

import { sumOfLanes } from "./elementwise";
import { multiply, PACKING_BYTES, TILE_COLUMNS, TILE_ROWS, multiplyAdd } from "./gemm";
import { weightBytes } from "./quantized-blocks";
import { shareStart } from "./threads";
import { readyRow, readyRowBytes, weightProducts } from "./weight-products";

/** Fewer rows than this are multiplied as dot products: packing would cost more than it saves. */
const FEW_ROWS: i32 = 4;

/** Arguments of {@link matrixProduct}, as laid out by the host: 4 bytes each. */
@unmanaged
class MatrixProduct {
  rows: i32;
  columns: i32;
  depth: i32;
  a: usize;
  aRow: i32;
  aDepth: i32;
  b: usize;
  bDepth: i32;
  bColumn: i32;
  c: usize;
  scratch: usize;
  /** Kind of B when that is a weight [columns, depth], transposed; else 0. */
  kind: i32;
  /** For a quantised B, `readyRowBytes` of each thread. */
  rounded: usize;
}

/** C[rows, columns] = A[rows, depth] · B[depth, columns], all strides in elements, C contiguous. */
export function matrixProduct(args: usize, thread: i32, threads: i32): void {
  const job = changetype<MatrixProduct>(args);
  if (job.rows <= FEW_ROWS && job.aDepth == 1 && job.bDepth == 1) {
    const first = shareStart(job.columns, thread, threads);
    const last = shareStart(job.columns, thread + 1, threads);
    const own = job.rounded + <usize>thread * readyRowBytes(job.depth);
    for (let row = 0; row < job.rows; row++) {
      const x = job.a + ((<usize>(row * job.aRow)) << 2);
      const y = job.c + ((<usize>(row * job.columns)) << 2);
      if (job.kind == 0) dotProducts(first, last, job.depth, x, job.b, job.bColumn, y);
      else weightProducts(first, last, job.depth, readyRow(x, job.depth, job.kind, own), job.b, job.kind, y);
    }
    return;
  }
  const scratch = job.scratch + <usize>thread * PACKING_BYTES;
  // Shares are whole tiles, and of the longer side, so that each thread packs little twice.
  const byRows = job.rows >= job.columns;
  const tileSize = byRows ? TILE_ROWS : TILE_COLUMNS;
  const size = byRows ? job.rows : job.columns;
  const tiles = (size + tileSize - 1) / tileSize;
  const first = shareStart(tiles, thread, threads) * tileSize;
  const last = min(size, shareStart(tiles, thread + 1, threads) * tileSize);
  if (first >= last) return;
  const row = byRows ? first : 0;
  const column = byRows ? 0 : first;
  multiply(
    byRows ? last - first : job.rows,
    byRows ? job.columns : last - first,
    job.depth,
    job.a + ((<usize>(row * job.aRow)) << 2),
    job.aRow,
    job.aDepth,
    job.b + (job.kind == 0 ? (<usize>(column * job.bColumn)) << 2 : <usize>column * weightBytes(job.kind, job.depth)),
    job.bDepth,
    job.bColumn,
    job.c + ((<usize>(row * job.columns + column)) << 2),
    job.columns,
    false,
    scratch,
    job.kind,
  );
}

/** y[n] = x · weight[n] for n in first..last−1; rows of `weight` are `stride` elements apart. */
export function dotProducts(
  first: i32,
  last: i32,
  depth: i32,
  x: usize,
  weight: usize,
  stride: i32,
  y: usize,
): void {
  const rowBytes = (<usize>stride) << 2;
  let row = weight + <usize>first * rowBytes;
  // Row after row, as they lie in memory: four at once read it a third slower.
  for (let n = first; n < last; n++) {
    store<f32>(y + ((<usize>n) << 2), dot(x, row, depth));
    row += rowBytes;
  }
}

/** Σ x[k] · w[k]. */
export function dot(x: usize, w: usize, depth: i32): f32 {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  const end = x + ((<usize>depth) << 2);
  for (const sixteen = x + ((<usize>(depth & ~15)) << 2); x < sixteen; x += 64) {
    s0 = multiplyAdd(v128.load(x), v128.load(w), s0);
    s1 = multiplyAdd(v128.load(x, 16), v128.load(w, 16), s1);
    s2 = multiplyAdd(v128.load(x, 32), v128.load(w, 32), s2);
    s3 = multiplyAdd(v128.load(x, 48), v128.load(w, 48), s3);
    w += 64;
  }
  for (; x + 16 <= end; x += 16) {
    s0 = multiplyAdd(v128.load(x), v128.load(w), s0);
    w += 16;
  }
  let sum = sumOfLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; x < end; x += 4) {
    sum += load<f32>(x) * load<f32>(w);
    w += 4;
  }
  return sum;
}
